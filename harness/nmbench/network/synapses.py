"""The nodes between two populations, folded into one projection's arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import nir
import numpy as np

from nmbench.errors import InputError
from nmbench.network.network import Floats
from nmbench.network.primitives import Doubles, numbers

MAX_ONE_TO_ONE = 4096
"""Largest population that may be wired one to one, which is stored as a dense diagonal."""

MAX_DELAY_STEPS = 65_535


@dataclass
class Chain:
    """What has been folded so far; ``shape`` is that of the signal behind the last node.

    ``weight`` is as in `nmbench.network.network.Projection`; None before the first synapse node, and then
    ``scale`` waits for it. ``bias`` holds what each Affine and Conv2d adds, by its position in the chain.
    """

    shape: tuple[int, ...]
    kind: Literal["dense", "conv2d"] = "dense"
    weight: Doubles | None = None
    scale: Doubles | None = None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    delay: int = 0
    bias: dict[int, Doubles] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Count the elements of the signal."""
        return int(np.prod(self.shape))

    def weights(self, name: str) -> Floats:
        """Return the weights, float32; a chain without a synapse node is wired one to one."""
        if self.weight is not None:
            with np.errstate(over="ignore"):  # looked for below
                weight = np.ascontiguousarray(self.weight, dtype=np.float32)
            if not np.isfinite(weight).all():
                raise _fault(name, "weights times scales are not finite in float32")
            return weight
        if self.size > MAX_ONE_TO_ONE:
            raise InputError(
                name,
                [f"{name}: {self.size} neurons wired one to one, at most {MAX_ONE_TO_ONE} are supported yet"],
            )
        scale = np.ones(self.size) if self.scale is None else self.scale
        return np.diag(scale).astype(np.float32)


def fold(nodes: list[tuple[str, nir.NIRNode]], shape: tuple[int, ...], dt_s: float) -> Chain:
    """Fold the nodes behind a population of this shape.

    Raises
    ------
    InputError
        Shapes that do not fit, several synapse nodes without a neuron between, a delay that is uneven or
        no whole number of steps, a convolution with dilation or groups.
    """
    chain = Chain(shape)
    for position, (name, node) in enumerate(nodes):
        if isinstance(node, nir.Flatten):
            chain.shape = (chain.size,)
        elif isinstance(node, nir.Delay):
            _add_delay(chain, name, node, dt_s)
        elif isinstance(node, nir.Scale):
            _add_scale(chain, name, node)
        elif chain.weight is not None:
            raise _fault(name, "several synapse nodes without a neuron between are not supported yet")
        elif isinstance(node, nir.Conv2d):
            _add_conv2d(chain, name, node, position)
        else:
            _add_dense(chain, name, node, position)
    return chain


def _fault(name: str, reason: str) -> InputError:
    return InputError(name, [f"{name}: {reason}"])


def _add_delay(chain: Chain, name: str, node: Any, dt_s: float) -> None:
    delays = np.unique(numbers(name, "delay", node.delay))
    if len(delays) != 1:
        raise _fault(f"{name}.delay", "delays that differ within one node are not supported yet")
    steps = float(delays[0]) / dt_s
    whole = round(steps)
    # the file may hold seconds in float32, hence the relative tolerance
    if whole < 0 or not np.isclose(steps, whole, rtol=1e-5, atol=1e-6):
        raise _fault(f"{name}.delay", f"{delays[0]:g} s is no whole number of steps of {dt_s:g} s")
    if chain.bias:
        raise _fault(name, "a delay behind a bias is not supported yet")
    chain.delay += whole
    if chain.delay > MAX_DELAY_STEPS:
        raise _fault(f"{name}.delay", f"{chain.delay} steps, at most {MAX_DELAY_STEPS}")


def _add_scale(chain: Chain, name: str, node: Any) -> None:
    values = numbers(name, "scale", node.scale)
    if values.size not in (1, chain.size):
        raise _fault(f"{name}.scale", f"shape {values.shape} does not fit the signal's {chain.shape}")
    scale = np.broadcast_to(values.ravel(), (chain.size,)).copy()
    if chain.kind == "conv2d" and len(np.unique(scale)) > 1:
        raise _fault(f"{name}.scale", "scales that differ behind a convolution are not supported yet")
    chain.bias = {position: bias * scale for position, bias in chain.bias.items()}
    if chain.weight is None:
        chain.scale = scale if chain.scale is None else chain.scale * scale
    else:
        chain.weight = chain.weight * (scale[0] if chain.kind == "conv2d" else scale)


def _add_dense(chain: Chain, name: str, node: Any, position: int) -> None:
    weight = numbers(name, "weight", node.weight)
    if weight.ndim != 2 or weight.shape[1] != chain.size:
        raise _fault(
            f"{name}.weight", f"shape {weight.shape}, expected (outputs, {chain.size}) behind {chain.shape}"
        )
    chain.weight = weight.T if chain.scale is None else weight.T * chain.scale[:, None]
    chain.shape = (weight.shape[0],)
    if isinstance(node, nir.Affine):
        bias = numbers(name, "bias", node.bias)
        if bias.size not in (1, chain.size):
            raise _fault(f"{name}.bias", f"shape {bias.shape}, expected {chain.shape}")
        chain.bias[position] = np.broadcast_to(bias.ravel(), chain.shape)


def _add_conv2d(chain: Chain, name: str, node: Any, position: int) -> None:
    weight, bias = numbers(name, "weight", node.weight), numbers(name, "bias", node.bias)
    if len(chain.shape) != 3:
        raise _fault(name, f"a Conv2d takes (C, H, W), not a signal of shape {chain.shape}")
    if np.any(np.asarray(node.dilation) != 1) or np.any(np.asarray(node.groups) != 1):
        raise _fault(name, "dilation and groups other than 1 are not supported yet")
    if weight.ndim != 4 or weight.shape[1] != chain.shape[0]:
        raise _fault(
            f"{name}.weight", f"shape {weight.shape}, expected (out, {chain.shape[0]}, rows, columns)"
        )
    if bias.size not in (1, weight.shape[0]):
        raise _fault(f"{name}.bias", f"shape {bias.shape}, expected ({weight.shape[0]},)")
    factors = np.ones(1) if chain.scale is None else np.unique(chain.scale)
    if len(factors) > 1:
        raise _fault(name, "scales that differ before a convolution are not supported yet")
    stride, padding = _pair(name, "stride", node.stride), _padding(name, node, weight.shape[2:])
    rows, columns = (
        (size + 2 * pad - kernel) // step + 1
        for size, pad, kernel, step in zip(chain.shape[1:], padding, weight.shape[2:], stride, strict=True)
    )
    if min(*stride, rows, columns) < 1:
        raise _fault(name, f"kernel {weight.shape[2:]}, stride {stride}: nothing is left of {chain.shape}")
    chain.kind, chain.weight, chain.stride, chain.padding = "conv2d", weight * factors[0], stride, padding
    chain.shape = (weight.shape[0], rows, columns)
    if bias.any():
        chain.bias[position] = np.broadcast_to(bias.reshape(-1, 1, 1), chain.shape).ravel()


def _pair(name: str, parameter: str, value: Any) -> tuple[int, int]:
    pair = np.broadcast_to(np.asarray(value).ravel(), (2,)) if np.size(value) in (1, 2) else None
    if pair is None or pair.dtype.kind not in "iu" or (pair < 0).any():
        raise _fault(f"{name}.{parameter}", f"{value!r} is not one or two whole numbers")
    return int(pair[0]), int(pair[1])


def _padding(name: str, node: Any, kernel: tuple[int, ...]) -> tuple[int, int]:
    if not isinstance(node.padding, str):
        return _pair(name, "padding", node.padding)
    if node.padding == "valid":
        return 0, 0
    if any(k % 2 == 0 for k in kernel) or np.any(np.asarray(node.stride) != 1):
        raise _fault(f"{name}.padding", "'same' is supported for odd kernels at stride 1")
    return kernel[0] // 2, kernel[1] // 2
