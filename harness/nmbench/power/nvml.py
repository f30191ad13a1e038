"""NVML: the energy counter of an NVIDIA board, or its power sampled where it has none.

The only file that imports ``pynvml`` (package nvidia-ml-py, BSD-3-Clause). The counter,
``nvmlDeviceGetTotalEnergyConsumption``, is in mJ since the driver was loaded and exists from Volta on; it is
renewed about every 100 ms. Power, ``nvmlDeviceGetPowerUsage``, is in mW, and on most boards from Ampere on
the mean of the last second (NVML API reference). Both are of the board: GPU and its associated circuitry.
"""

from __future__ import annotations

import threading
from typing import Any

from nmbench.power.curve import Readings
from nmbench.power.meter import Clock, Mark, Meter, MeterError, MeterInfo, NoMeter, seconds_between

COUNTER_UPDATE_S = 0.1
POWER_UPDATE_S = 1.0
SAMPLING_S = 0.05
LARGEST_GAP_S = 1.0
PATIENCE_S = 5.0

NOT_SUPPORTED = 3
"""``NVML_ERROR_NOT_SUPPORTED``: the device has no such counter."""


Nvml = Any
"""The module ``pynvml``, which has no types: functions raise its ``NVMLError`` with the code in ``value``."""


class NvmlCounter(Meter):
    """The board's own energy counter."""

    def __init__(self, nvml: Nvml, handle: Any, name: str, clock: Clock) -> None:
        self._nvml, self._handle, self._clock, self._open = nvml, handle, clock, True
        self.info = MeterInfo(
            "nvml", "chip_total", f"NVML energy counter of {_covers(name)}", COUNTER_UPDATE_S
        )

    def mark(self) -> Mark:
        """Read the counter once."""
        now, wall = self._clock.now(), self._clock.wall()
        try:
            return Mark(now, wall, (int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)),))
        except self._nvml.NVMLError as error:
            raise MeterError(f"NVML: {error}") from error

    def joules(self, since: Mark, until: Mark) -> float:
        """Return the board's energy; see `Meter.joules`."""
        seconds = seconds_between(since, until)
        joules = (until.counters[0] - since.counters[0]) * 1e-3
        if joules < 0:
            raise MeterError("NVML: the energy counter was set back: the driver was loaded anew")
        if joules == 0 and seconds > self.info.shortest_s:
            raise MeterError(f"NVML: the energy counter stood still for {seconds:.3g} s")
        return joules

    def close(self) -> None:
        """End NVML."""
        if self._open:
            self._open = False
            _shut_down(self._nvml)


class NvmlPower(Meter):
    """The board's power, sampled by a thread and integrated."""

    def __init__(
        self, nvml: Nvml, handle: Any, name: str, clock: Clock, sampling_s: float = SAMPLING_S
    ) -> None:
        self._nvml, self._handle, self._clock = nvml, handle, clock
        self._readings, self._over = Readings(), threading.Event()
        self.info = MeterInfo(
            "nvml", "chip_total", f"NVML power, every {sampling_s:g} s, of {_covers(name)}", POWER_UPDATE_S
        )
        self._thread = threading.Thread(target=self._sample, args=(sampling_s,), daemon=True)
        self._thread.start()
        try:
            self._readings.period_s(2, PATIENCE_S)
        except MeterError:
            self._stop()
            raise

    def mark(self) -> Mark:
        """Take the time."""
        return Mark(self._clock.now(), self._clock.wall())

    def joules(self, since: Mark, until: Mark) -> float:
        """Return the board's energy; see `Meter.joules`."""
        seconds_between(since, until)
        return self._readings.joules(since.time_s, until.time_s, LARGEST_GAP_S, PATIENCE_S)

    def close(self) -> None:
        """End the thread and NVML."""
        if not self._over.is_set():
            self._stop()
            _shut_down(self._nvml)

    def _stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self, sampling_s: float) -> None:
        while not self._over.is_set():
            try:
                watts = int(self._nvml.nvmlDeviceGetPowerUsage(self._handle)) * 1e-3
            except self._nvml.NVMLError as error:
                self._readings.fail(MeterError(f"NVML: {error}"))
                return
            self._readings.add(self._clock.now(), watts)
            self._over.wait(sampling_s)


def open_nvml(device: str | None = None, nvml: Nvml = None, clock: Clock | None = None) -> Meter | NoMeter:
    """Return the meter of an NVIDIA board, or why there is none.

    Parameters
    ----------
    device
        Number in the order of the PCI bus (NVML knows nothing of ``CUDA_VISIBLE_DEVICES``), or its UUID,
        ``GPU-...``; None for the only one there is.
    nvml
        The module; None for the installed one.
    """
    if device is not None and device.startswith("MIG-"):
        return NoMeter("NVML counts a whole board's energy, not that of a MIG instance: name the board")
    try:
        nvml = nvml or _installed()
    except ImportError:
        return NoMeter("the Python binding of NVML is not installed: pip install nvidia-ml-py")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return NoMeter(f"NVML: {error} (no NVIDIA driver, or none that this container may use)")
    try:
        found = _open(nvml, device, clock or Clock())
    except (nvml.NVMLError, MeterError) as error:
        found = NoMeter(str(error) if isinstance(error, MeterError) else f"NVML: {error}")
    if isinstance(found, NoMeter):
        _shut_down(nvml)
    return found


def _open(nvml: Nvml, device: str | None, clock: Clock) -> Meter | NoMeter:
    count = nvml.nvmlDeviceGetCount()
    if not count:
        return NoMeter("NVML: no NVIDIA board")
    if device is None and count > 1:
        return NoMeter(f"there are {count} NVIDIA boards: say which one, nvml:N or nvml:GPU-...")
    if device is not None and not device.isdecimal():
        handle = nvml.nvmlDeviceGetHandleByUUID(device)
    elif int(device or 0) >= count:
        return NoMeter(f"there is no NVIDIA board {device}: {count} in all, counted from 0")
    else:
        handle = nvml.nvmlDeviceGetHandleByIndex(int(device or 0))
    name = nvml.nvmlDeviceGetName(handle)
    try:
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError as error:
        if getattr(error, "value", None) != NOT_SUPPORTED:
            raise
        return _sampled(nvml, handle, name, clock)
    return NvmlCounter(nvml, handle, name, clock)


def _sampled(nvml: Nvml, handle: Any, name: str, clock: Clock) -> Meter | NoMeter:
    try:
        nvml.nvmlDeviceGetPowerUsage(handle)
    except nvml.NVMLError as error:
        return NoMeter(f"NVML: {name} states neither energy nor power ({error})")
    return NvmlPower(nvml, handle, name, clock)


def _shut_down(nvml: Nvml) -> None:
    try:
        nvml.nvmlShutdown()
    except nvml.NVMLError as error:
        raise MeterError(f"NVML: {error}") from error


def _covers(name: str) -> str:
    return f"{name}: the board with its memory, every process and MIG instance on it; no host"


def _installed() -> Nvml:
    import pynvml

    return pynvml
