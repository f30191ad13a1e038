"""How fast a workload's memory traffic alone could be: measured in C, beside the engines (see ``floor.c``).

Dense nets: the *gather floor*. Convolution nets: the *realistic floor*, read-modify-write of the
membranes, one pass over them a step, and the readout. Input spikes are the workload's own; the hidden
layers' are as many in each step as the network makes, at random neurons. An engine that adds spikes of one
place together before it touches the membrane can be faster than the second floor.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from protocol import Layer, Task, options, read

HERE = Path(__file__).parent
Array = npt.NDArray[Any]
DTYPES = {"dense": ("float32", "int16", "int8"), "conv": ("float32", "int16")}


class Gather(ctypes.Structure):
    _fields_ = [
        ("weight", ctypes.c_void_p),
        ("pitch", ctypes.c_int64),
        ("first", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        ("offsets", ctypes.c_void_p),
        ("index", ctypes.c_void_p),
        ("sums", ctypes.c_void_p),
    ]


class Scatter(ctypes.Structure):
    _fields_ = [
        ("kernel", ctypes.c_void_p),
        ("runs", ctypes.c_int64),
        ("length", ctypes.c_int64),
        ("pitch", ctypes.c_int64),
        ("offsets", ctypes.c_void_p),
        ("place", ctypes.c_void_p),
        ("block", ctypes.c_void_p),
        ("map", ctypes.c_void_p),
        ("cells", ctypes.c_int64),
        ("mask", ctypes.c_void_p),
    ]


class Floor:
    """The compiled loops, and the arrays that they read."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task = task
        self.rng = np.random.default_rng(0)
        self.kept: list[Array] = []
        library = folder / "floor.so"
        flags = ["-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run(["gcc", *flags, "-o", str(library), str(HERE / "floor.c")], check=True)
        self.c = ctypes.CDLL(str(library))
        self.sizes = [int(np.prod(task.shape)), *(layer.size for layer in task.layers)]
        self.spikes = [self._input(), *(self._random(k) for k in range(len(task.layers) - 1))]

    def _input(self) -> tuple[Array, Array]:
        offsets = self.task.offsets[: self.task.steps + 1]
        return offsets, self.task.index[: offsets[-1]]

    def _random(self, layer: int, late: int = 0) -> tuple[Array, Array]:
        """Place as many spikes as the layer makes in each step of sample 0, ``late`` steps later."""
        counts = self.task.spikes[0, :, layer]
        counts = np.concatenate([np.zeros(late, np.int64), counts[: len(counts) - late]])
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        size = self.sizes[layer + 1]
        chosen = [self.rng.choice(size, n, replace=False) for n in counts]
        return offsets, np.concatenate(chosen).astype(np.int32)

    def _keep(self, array: Array) -> int:
        """Return the address of an aligned copy that lives as long as the floor."""
        room = np.zeros(array.nbytes + 128, np.uint8)
        start = -room.ctypes.data % 64
        view = room[start : start + array.nbytes]
        view[:] = np.ascontiguousarray(array).view(np.uint8).ravel()
        self.kept.append(room)
        return int(view.ctypes.data)

    def dense(self, dtype: str) -> float:
        """Return seconds of the row gather of one sample."""
        gathers = []
        for k, layer in enumerate(self.task.layers):
            sums = self._keep(np.zeros(-(-layer.size // 32) * 32, np.float32))
            gathers.append(self._gather(layer.weight, dtype, self.spikes[k], sums, True))
            if layer.recurrent is not None:
                gathers.append(self._gather(layer.recurrent, dtype, self._random(k, 1), sums, False))
        return self._time(f"gather_{dtype}", Gather, gathers)

    def _gather(
        self, weight: Array, dtype: str, spikes: tuple[Array, Array], sums: int, first: bool
    ) -> Gather:
        lanes = 16 if dtype == "float32" else 32
        columns = -(-weight.shape[1] // lanes) * lanes
        padded = np.zeros((len(weight), columns), dtype)
        padded[:, : weight.shape[1]] = (
            weight if dtype == "float32" else self.rng.integers(-9, 9, weight.shape)
        )
        return Gather(
            self._keep(padded), columns, first, columns, self._keep(spikes[0]), self._keep(spikes[1]), sums
        )

    def conv(self, dtype: str) -> float:
        """Return seconds of the scatters, the passes and the readout's gather of one sample."""
        maps = [self.task.shape, *(layer.shape for layer in self.task.layers)]
        scatters = [
            self._scatter(layer, maps[k], dtype, self.spikes[k])
            for k, layer in enumerate(self.task.layers)
            if layer.kernel
        ]
        readout = self.task.layers[-1]
        channels, rows, columns = maps[-2]
        pooled = readout.weight.reshape(channels, rows // readout.pool, columns // readout.pool, -1)
        weight = pooled.repeat(readout.pool, 1).repeat(readout.pool, 2).reshape(-1, readout.size)
        sums = self._keep(np.zeros(-(-readout.size // 32) * 32, np.float32))
        gather = self._gather(weight, dtype, self.spikes[-1], sums, True)
        return self._time(f"scatter_{dtype}", Scatter, scatters) + self._time(
            f"gather_{dtype}", Gather, [gather]
        )

    def _scatter(
        self, layer: Layer, before: tuple[int, ...], dtype: str, spikes: tuple[Array, Array]
    ) -> Scatter:
        out, rows, columns = layer.shape
        stride = layer.stride * layer.pool
        reach = ceil(layer.kernel / layer.stride)  # blocks of the map that a spike touches, in each direction
        line = (columns + 2 * (reach - 1)) * out
        cells = -(-line * (rows + 2 * (reach - 1)) // 32) * 32
        offsets, index = spikes
        channel, y, x = np.unravel_index(index, before)
        place = np.minimum(y // stride, rows - 1) * line + np.minimum(x // stride, columns - 1) * out
        block = (
            (channel * layer.stride + y % stride // layer.pool) * layer.stride + x % stride // layer.pool
        ) * (reach * reach * out)
        blocks = before[0] * layer.stride**2
        kernel = np.zeros(
            blocks * reach * reach * out, dtype
        )  # zeros: the map stays silent and the pass honest
        return Scatter(
            self._keep(kernel),
            reach,
            reach * out,
            line,
            self._keep(offsets),
            self._keep(place.astype(np.int32)),
            self._keep(block.astype(np.int32)),
            self._keep(np.zeros(cells, dtype)),
            cells,
            self._keep(np.zeros(cells // 16, np.uint32)),
        )

    def _time(self, name: str, record: type[ctypes.Structure], parts: Sequence[ctypes.Structure]) -> float:
        """Return the shortest of the runs of half a second."""
        call = getattr(self.c, name)
        array = (record * len(parts))(*parts)
        number, steps = ctypes.c_int64(len(parts)), ctypes.c_int64(self.task.steps)
        shortest, end = float("inf"), time.perf_counter() + 0.5
        while time.perf_counter() < end:
            started = time.perf_counter()
            call(array, number, steps)
            shortest = min(shortest, time.perf_counter() - started)
        return shortest


def measure(task: Task) -> dict[str, float]:
    """Return seconds a sample by dtype."""
    kind = "conv" if task.layers[0].kernel else "dense"
    with tempfile.TemporaryDirectory() as folder:
        floor = Floor(task, Path(folder))
        return {dtype: getattr(floor, kind)(dtype) for dtype in DTYPES[kind]}


if __name__ == "__main__":
    print(json.dumps({"floors": measure(read(options().path))}))
