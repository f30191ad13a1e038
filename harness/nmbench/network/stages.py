"""The nodes between two populations, read and checked one by one, before anything is multiplied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nir
import numpy as np
import numpy.typing as npt

from nmbench.errors import InputError
from nmbench.network.dialect import Dialect
from nmbench.network.network import Shape
from nmbench.network.operators import Gain, Kernel, Matrix, Operator, Pair
from nmbench.network.primitives import Doubles, checked, numbers

MAX_DELAY_STEPS = 65_535


@dataclass(frozen=True, eq=False)
class Stage:
    """One node.

    Attributes
    ----------
    shape
        Of the signal behind it.
    bias
        What it adds, by element of that signal; None where it adds nothing.
    delay
        Steps by which it hands on each element, int64 ``[1]`` or by element; None where it does not.
    """

    name: str
    shape: Shape
    operator: Operator | None = None
    bias: Doubles | None = None
    delay: npt.NDArray[np.int64] | None = None


def read_stages(nodes: list[tuple[str, nir.NIRNode]], shape: Shape, dialect: Dialect) -> list[Stage]:
    """Read the nodes behind a population of this shape.

    Raises
    ------
    InputError
        The first node whose shapes do not fit: what stands behind it cannot be judged.
    """
    stages: list[Stage] = []
    for name, node in nodes:
        stages.append(_READERS[type(node)](name, node, shape, dialect))
        shape = stages[-1].shape
    return stages


def fault(name: str, reason: str) -> InputError:
    """Return an error with one fault."""
    return InputError(name, [f"{name}: {reason}"])


def _flatten(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    return Stage(name, (int(np.prod(shape)),))


def _delay(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    seconds = numbers(name, "delay", node.delay, dialect.dtype).ravel()
    if len(seconds) not in (1, int(np.prod(shape))):
        raise fault(f"{name}.delay", f"shape {np.shape(node.delay)} does not fit the signal's {shape}")
    steps = seconds / dialect.dt
    whole = np.rint(steps)
    # the file may hold seconds in float32, hence the relative tolerance
    wrong = (whole < 0) | ~np.isclose(steps, whole, rtol=1e-5, atol=1e-6)
    if wrong.any():
        raise fault(
            f"{name}.delay", f"{seconds[wrong][0]:g} s is no whole number of steps of {dialect.dt:g} s"
        )
    if whole.max() > MAX_DELAY_STEPS:
        raise fault(f"{name}.delay", f"{whole.max():.0f} steps, at most {MAX_DELAY_STEPS}")
    delay = whole.astype(np.int64)
    return Stage(name, shape, delay=delay[:1] if (delay == delay[0]).all() else delay)


def _scale(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    values, size = numbers(name, "scale", node.scale, dialect.dtype), int(np.prod(shape))
    if values.size not in (1, size):
        raise fault(f"{name}.scale", f"shape {values.shape} does not fit the signal's {shape}")
    return Stage(name, shape, Gain(np.broadcast_to(values.ravel(), (size,))))


def _dense(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    weight, size = checked(name, "weight", node.weight, dialect.dtype), int(np.prod(shape))
    if weight.ndim != 2 or weight.shape[1] != size:
        raise fault(f"{name}.weight", f"shape {weight.shape}, expected (outputs, {size}) behind {shape}")
    out = weight.shape[:1]
    bias = _bias(name, node, out, out, dialect) if isinstance(node, nir.Affine) else None
    return Stage(name, out, Matrix(weight.T, weight.size), bias)


def _bias(name: str, node: Any, expected: Shape, target: Shape, dialect: Dialect) -> Doubles | None:
    """Return the bias by element of the target, whose first axis it has; None if it is zero."""
    bias = numbers(name, "bias", node.bias, dialect.dtype)
    if bias.size not in (1, expected[0]):
        raise fault(f"{name}.bias", f"shape {bias.shape}, expected {expected}")
    if not bias.any():
        return None
    return np.broadcast_to(bias.reshape(-1, *[1] * (len(target) - 1)), target).ravel()


def _conv1d(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    if len(shape) != 2:
        raise fault(name, f"a Conv1d takes (C, L), not a signal of shape {shape}")
    return _convolution(name, node, shape, dialect)


def _conv2d(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    if len(shape) != 3:
        raise fault(name, f"a Conv2d takes (C, H, W), not a signal of shape {shape}")
    return _convolution(name, node, shape, dialect)


def _convolution(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    axes = len(shape) - 1
    weight = checked(name, "weight", node.weight, dialect.dtype)
    groups = _whole(name, "groups", node.groups, 1, least=1)[0]
    channels = shape[0] // groups
    if weight.ndim != axes + 2 or weight.shape[1] * groups != shape[0] or weight.shape[0] % groups:
        kernel = "rows, columns" if axes == 2 else "taps"
        outputs = "out" if groups == 1 else f"a multiple of {groups}"
        raise fault(f"{name}.weight", f"shape {weight.shape}, expected ({outputs}, {channels}, {kernel})")
    stride = _whole(name, "stride", node.stride, axes, least=1)
    dilation = _whole(name, "dilation", node.dilation, axes, least=1)
    span = tuple((k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilation, strict=True))
    padding, extra = _padding(name, node, span, stride)
    sizes = tuple(
        (size + 2 * before + more - reach) // step + 1
        for size, before, more, reach, step in zip(shape[1:], padding, extra, span, stride, strict=True)
    )
    if min(sizes) < 1 or 0 in weight.shape:
        raise fault(name, f"kernel {weight.shape[2:]}, stride {stride}: nothing is left of {shape}")
    target = (weight.shape[0], *sizes)
    bias = _bias(name, node, target[:1], target, dialect)
    if axes == 1:
        weight = weight[:, :, None]
    return Stage(name, target, _kernel(weight, shape, target, stride, padding, dilation, groups), bias)


def _pool(name: str, node: Any, shape: Shape, dialect: Dialect) -> Stage:
    if len(shape) != 3:
        raise fault(name, f"a {type(node).__name__} takes (C, H, W), not a signal of shape {shape}")
    size = _whole(name, "kernel_size", node.kernel_size, 2, least=1)
    stride = _whole(name, "stride", node.stride, 2, least=1)
    padding = _whole(name, "padding", node.padding, 2)
    sizes = tuple(
        (n + 2 * p - k) // s + 1 for n, p, k, s in zip(shape[1:], padding, size, stride, strict=True)
    )
    if min(sizes) < 1:
        raise fault(name, f"windows {size}, stride {stride}: nothing is left of {shape}")
    each = 1 / (size[0] * size[1]) if isinstance(node, nir.AvgPool2d) else 1.0
    target = (shape[0], *sizes)
    weight = np.full((shape[0], 1, *size), each)
    return Stage(name, target, _kernel(weight, shape, target, stride, padding, (1, 1), shape[0]))


def _kernel(
    weight: Any, shape: Shape, target: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Kernel:
    """Return a convolution; one in a single dimension becomes one of a single row."""

    def pair(values: Shape, other: int) -> Pair:
        return (values[0], values[1]) if len(values) == 2 else (other, values[0])

    return Kernel(
        weight,
        (shape[0], *pair(shape[1:], 1)),
        (target[0], *pair(target[1:], 1)),
        pair(stride, 1),
        pair(padding, 0),
        pair(dilation, 1),
        groups,
        weight.size * int(np.prod(target[1:])),
    )


def _whole(name: str, field: str, value: Any, axes: int, least: int = 0) -> Shape:
    """Return a field of one whole number, or one an axis."""
    found = np.asarray(value).ravel()
    if found.size not in (1, axes) or found.dtype.kind not in "iu" or (found < least).any():
        count = "one whole number" if axes == 1 else "one or two whole numbers"
        raise fault(f"{name}.{field}", f"{value!r} is not {count} of at least {least}")
    return tuple(int(n) for n in np.broadcast_to(found, (axes,)))


def _padding(name: str, node: Any, span: Shape, stride: Shape) -> tuple[Shape, Shape]:
    """Return the padding before each axis, and how much more there is behind it."""
    padding = node.padding.decode() if isinstance(node.padding, bytes) else node.padding
    if not isinstance(padding, str):
        return _whole(name, "padding", padding, len(span)), (0,) * len(span)
    if padding == "valid":
        return (0,) * len(span), (0,) * len(span)
    if padding != "same":
        raise fault(f"{name}.padding", f"{padding!r} is neither 'same', 'valid' nor whole numbers")
    if max(stride) > 1:
        raise fault(f"{name}.padding", f"'same' at stride {stride}: it is defined for stride 1")
    return tuple((n - 1) // 2 for n in span), tuple((n - 1) % 2 for n in span)


_READERS = {
    nir.Flatten: _flatten,
    nir.Delay: _delay,
    nir.Scale: _scale,
    nir.Affine: _dense,
    nir.Linear: _dense,
    nir.Conv1d: _conv1d,
    nir.Conv2d: _conv2d,
    nir.SumPool2d: _pool,
    nir.AvgPool2d: _pool,
}
"""How each node between populations is read."""
