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
from nmbench.network.network import Dynamics

Doubles = npt.NDArray[np.float64]
Coefficients = dict[str, Doubles]


def membrane(tau: Doubles, dialect: Dialect) -> tuple[Doubles, Doubles]:
    r"""Return decay and gain of :math:`\tau \dot v = -v + x` over one step.

    Euler: :math:`1 - dt/\tau, dt/\tau`. The others: :math:`e^{-dt/\tau}, 1 - e^{-dt/\tau}`, exact for an
    input that is constant over the step.
    """
    if dialect.integrator == "euler":
        return 1 - dialect.dt / tau, dialect.dt / tau
    return np.exp(-dialect.dt / tau), -np.expm1(-dialect.dt / tau)


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
        "leak": mem_gain * node.v_leak,
    }


def li(node: Any, dialect: Dialect) -> Coefficients:
    r""":math:`\tau \dot v = (v_{leak} - v) + R I`; no synapse state, the current is the step's input."""
    mem_decay, mem_gain = membrane(node.tau, dialect)
    return {"mem_decay": mem_decay, "mem_gain": mem_gain * node.r, "leak": mem_gain * node.v_leak}


def integrator(node: Any, dialect: Dialect) -> Coefficients:
    r""":math:`\dot v = R I`: :math:`v \leftarrow v + dt R I` under every integrator."""
    return {"mem_decay": np.ones_like(node.r), "mem_gain": dialect.dt * node.r}


NEURONS: dict[type, Callable[[Any, Dialect], Coefficients]] = {
    nir.CubaLIF: cuba_li,
    nir.CubaLI: cuba_li,
    nir.LIF: li,
    nir.LI: li,
    nir.IF: integrator,
    nir.I: integrator,
}
"""Coefficients by primitive; those with ``v_threshold`` and ``v_reset`` spike."""

_DEFAULTS = {"syn_decay": 0.0, "syn_gain": 1.0, "leak": 0.0}
_TIME_CONSTANTS = ("tau", "tau_syn", "tau_mem")
_PARAMETERS = (*_TIME_CONSTANTS, "r", "v_leak", "w_in", "v_threshold", "v_reset")


def numbers(name: str, field: str, value: Any) -> Doubles:
    """Copy a node's field in float64; an InputError says where it holds what float32 cannot."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(name, [f"{name}.{field}: no array of numbers ({error})"]) from error
    if not (np.abs(array) <= np.finfo(np.float32).max).all():
        raise InputError(name, [f"{name}.{field}: holds values that are not finite in float32"])
    return array


def dynamics(
    name: str, node: nir.NIRNode, shape: tuple[int, ...], bias: Doubles, dialect: Dialect
) -> Dynamics:
    """Return a population's coefficients, computed in float64, float32 ``[n]`` in C-order.

    Parameters
    ----------
    name, node
        Of the neuron primitive; its arrays broadcast to ``shape``.
    bias
        Constant input per neuron, ``[n]``.

    Raises
    ------
    InputError
        Parameters that are not finite, time constants not above 0, shapes that do not broadcast.
    """
    parameters = _parameters(name, node, shape)
    with np.errstate(over="ignore", invalid="ignore"):  # looked for below
        coefficients = NEURONS[type(node)](parameters, dialect)
        arrays = {
            key: np.broadcast_to(value, shape).ravel().astype(np.float32)
            for key, value in (_DEFAULTS | coefficients | {"bias": bias.reshape(shape)}).items()
        }
    extreme = sorted(key for key, array in arrays.items() if not np.isfinite(array).all())
    if extreme:
        raise InputError(
            name, [f"{name}: {', '.join(extreme)} of a step of {dialect.dt:g} s not finite in float32"]
        )
    spiking = hasattr(parameters, "v_threshold")
    limits = (parameters.v_threshold, parameters.v_reset) if spiking else (np.inf, 0.0)
    for key, value in zip(("threshold", "v_reset"), limits, strict=True):
        arrays[key] = np.broadcast_to(value, shape).ravel().astype(np.float32)
    return Dynamics(**arrays, spiking=spiking)


def _parameters(name: str, node: nir.NIRNode, shape: tuple[int, ...]) -> SimpleNamespace:
    """Copy a neuron's parameters in float64; the graph handed in stays as it is."""
    fields: dict[str, Doubles] = {}
    faults: list[str] = []
    for field in (f for f in _PARAMETERS if hasattr(node, f)):
        try:
            fields[field] = numbers(name, field, getattr(node, field))
        except InputError as error:
            faults += error.faults
            continue
        if field in _TIME_CONSTANTS and (fields[field] <= 0).any():
            faults.append(f"{name}.{field}: time constants must be above 0 s")
    misfits = sorted(f for f, value in fields.items() if not _fits(value.shape, shape))
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
