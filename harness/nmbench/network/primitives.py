"""Neuron primitives of NIR as coefficients of one step, by the dialect's integrator."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import nir
import numpy as np
import numpy.typing as npt

from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Floats

Doubles = npt.NDArray[np.float64]
Coefficients = dict[str, Doubles]


def membrane(tau: Doubles, dialect: Dialect) -> tuple[Doubles, Doubles]:
    r"""Return decay and gain of :math:`\tau \dot v = -v + x` over one step.

    Euler: :math:`1 - dt/\tau, dt/\tau`. ``exponential_pulse``: :math:`e^{-dt/\tau}, dt/\tau`, exact for an
    input that is a pulse at the step's end. The others: :math:`e^{-dt/\tau}, 1 - e^{-dt/\tau}`, exact for
    an input that is constant over the step.
    """
    if dialect.integrator == "euler":
        return 1 - dialect.dt / tau, dialect.dt / tau
    if dialect.integrator == "exponential_pulse":
        return np.exp(-dialect.dt / tau), dialect.dt / tau
    return np.exp(-dialect.dt / tau), -np.expm1(-dialect.dt / tau)


def rest(tau: Doubles, dialect: Dialect) -> Doubles:
    r"""Return the gain of a constant drive: the one that makes it the membrane's fixed point."""
    return dialect.dt / tau if dialect.integrator == "euler" else -np.expm1(-dialect.dt / tau)


def synapse(tau: Doubles, dialect: Dialect) -> tuple[Doubles, Doubles]:
    r"""Return decay and gain of the current; as `membrane`, but ``exponential_decay_euler_gain`` mixes.

    Its decay is :math:`e^{-dt/\tau}` and its gain :math:`dt/\tau`: a spike is a pulse at the step's end.
    """
    decay, gain = membrane(tau, dialect)
    if dialect.integrator == "exponential_decay_euler_gain":
        gain = dialect.dt / tau
    return decay, gain


def cuba_li(node: Any, dialect: Dialect) -> Coefficients:
    r""":math:`\tau_{syn} \dot I = -I + w_{in} S; \tau_{mem} \dot v = (v_{leak} - v) + R I`."""
    syn_decay, syn_gain = synapse(node.tau_syn, dialect)
    mem_decay, mem_gain = membrane(node.tau_mem, dialect)
    return {
        "syn_decay": syn_decay,
        "syn_gain": syn_gain * node.w_in,
        "mem_decay": mem_decay,
        "mem_gain": mem_gain * node.r,
        "leak": rest(node.tau_mem, dialect) * node.v_leak,
    }


def li(node: Any, dialect: Dialect) -> Coefficients:
    r""":math:`\tau \dot v = (v_{leak} - v) + R I`; no synapse state, the current is the step's input."""
    mem_decay, mem_gain = membrane(node.tau, dialect)
    return {
        "mem_decay": mem_decay,
        "mem_gain": mem_gain * node.r,
        "leak": rest(node.tau, dialect) * node.v_leak,
    }


def integrator(node: Any, dialect: Dialect) -> Coefficients:
    r""":math:`\dot v = R I`: :math:`v \leftarrow v + dt R I` under every integrator."""
    return {"mem_decay": np.ones_like(node.r), "mem_gain": dialect.dt * node.r}


def threshold(node: Any, dialect: Dialect) -> Coefficients:
    r""":math:`z = H(x - \theta)` of the step's input alone: a membrane that forgets at once."""
    return {"mem_decay": np.zeros_like(node.threshold), "mem_gain": np.ones_like(node.threshold)}


NEURONS: dict[type, Callable[[Any, Dialect], Coefficients]] = {
    nir.CubaLIF: cuba_li,
    nir.CubaLI: cuba_li,
    nir.LIF: li,
    nir.LI: li,
    nir.IF: integrator,
    nir.I: integrator,
    nir.Threshold: threshold,
}
"""Coefficients by primitive; those with a threshold spike."""

_DEFAULTS = {"syn_decay": 0.0, "syn_gain": 1.0, "leak": 0.0}
_TIME_CONSTANTS = ("tau", "tau_syn", "tau_mem")
_PARAMETERS = (*_TIME_CONSTANTS, "r", "v_leak", "w_in", "v_threshold", "v_reset", "threshold")


def checked(name: str, field: str, value: Any, dtype: str) -> npt.NDArray[Any]:
    """Return a node's field as an array, not copied; an InputError says where it holds what dtype cannot."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(name, [f"{name}.{field}: no array of numbers ({error})"]) from error
    # the extremes tell: no temporary of the array's size is made
    extremes = np.array([array.min(), array.max()], np.float64) if array.size else np.zeros(2)
    if not (np.abs(extremes) <= np.finfo(dtype).max).all():
        raise InputError(name, [f"{name}.{field}: holds values that are not finite in {dtype}"])
    return array


def numbers(name: str, field: str, value: Any, dtype: str) -> Doubles:
    """Copy a node's field in float64; see `checked`."""
    return np.array(checked(name, field, value, dtype), dtype=np.float64)


def dynamics(
    name: str,
    node: nir.NIRNode,
    shape: tuple[int, ...],
    bias: Doubles,
    dialect: Dialect,
    early: tuple[tuple[int, Doubles], ...] = (),
) -> Dynamics:
    """Return a population's coefficients, computed in float64, ``[n]`` in C-order in the dialect's dtype.

    Parameters
    ----------
    name, node
        Of the neuron primitive; its arrays broadcast to ``shape``.
    bias, early
        Constant input per neuron, ``[n]``, and what it is before certain steps; see `Dynamics`.

    Raises
    ------
    InputError
        Parameters that are not finite, time constants not above 0, shapes that do not broadcast.
    """
    parameters = read_parameters(name, node, dialect, shape)
    dtype = np.dtype(dialect.dtype)

    def spread(value: Any) -> Floats:
        spreaded: Floats = np.broadcast_to(value, shape).ravel().astype(dtype)
        return spreaded

    with np.errstate(over="ignore", invalid="ignore"):  # looked for below
        coefficients = NEURONS[type(node)](parameters, dialect)
        arrays = {
            key: spread(value)
            for key, value in (_DEFAULTS | coefficients | {"bias": bias.reshape(shape)}).items()
        }
        biases = tuple((until, spread(values.reshape(shape))) for until, values in early)
    extreme = sorted(key for key, array in arrays.items() if not np.isfinite(array).all())
    if extreme:
        raise InputError(
            name,
            [f"{name}: {', '.join(extreme)} of a step of {dialect.dt:g} s not finite in {dialect.dtype}"],
        )
    if isinstance(node, nir.Threshold):
        limits, spiking = (parameters.threshold, 0.0), True
    else:
        spiking = hasattr(parameters, "v_threshold")
        limits = (parameters.v_threshold, parameters.v_reset) if spiking else (np.inf, 0.0)
    for key, value in zip(("threshold", "v_reset"), limits, strict=True):
        arrays[key] = spread(value)
    resets = not isinstance(node, nir.Threshold)
    if dialect.multispike and spiking and resets and (arrays["threshold"] <= arrays["v_reset"]).any():
        raise InputError(name, [f"{name}.v_threshold: must be above v_reset where a step has several spikes"])
    return Dynamics(**arrays, spiking=spiking, resets=resets, early=biases)


def read_parameters(
    name: str, node: nir.NIRNode, dialect: Dialect, shape: tuple[int, ...] | None = None
) -> SimpleNamespace:
    """Copy a neuron's parameters in float64; the graph handed in stays as it is.

    Raises
    ------
    InputError
        Every parameter that is not finite or out of range, and those that do not fit the shape if given.
    """
    fields: dict[str, Doubles] = {}
    faults: list[str] = []
    for field in (f for f in _PARAMETERS if hasattr(node, f)):
        try:
            fields[field] = numbers(name, field, getattr(node, field), dialect.dtype)
        except InputError as error:
            faults += error.faults
            continue
        if field in _TIME_CONSTANTS and (fields[field] <= 0).any():
            faults.append(f"{name}.{field}: time constants must be above 0 s")
    misfits = sorted(f for f, v in fields.items() if shape is not None and not _fits(v.shape, shape))
    if misfits:
        found = fields[misfits[0]].shape
        faults.append(f"{name}: {', '.join(misfits)} of shape {found}, the signal that arrives has {shape}")
    if faults:
        raise InputError(name, faults)
    return SimpleNamespace(**fields)


def _fits(found: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(found, shape) == shape
    except ValueError:
        return False
