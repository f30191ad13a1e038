"""Several linear layers without a neuron between, as one; as a convolution where it can be."""

from __future__ import annotations

import numpy as np

from nmbench.errors import InputError
from nmbench.network.memory import require
from nmbench.network.operators import Gain, Kernel, Matrix, Operator
from nmbench.network.primitives import Doubles

MAX_COMPOSED = 2**25
"""Most synapses of layers that can only be folded into a dense matrix."""


def compose(name: str, operators: list[Operator]) -> Operator | None:
    """Return one operator that does what these do in turn; None where there is none.

    Neighbours are merged while the result keeps its form: gains into weights, a convolution or pool behind
    another where borders allow it. What then remains is written out as one dense matrix.

    Raises
    ------
    InputError
        The dense matrix would have more than `MAX_COMPOSED` synapses, or more than there is memory.
    """
    left: list[Operator] = []
    for operator in operators:
        left.append(operator)
        while len(left) > 1 and (merged := _merge(*left[-2:])) is not None:
            left[-2:] = [merged]
    if len(left) < 2:
        return left[0] if left else None
    return _dense(name, left)


def _merge(first: Operator, second: Operator) -> Operator | None:
    """Return the product of two operators in the form of one of them, or None."""
    merged: Operator | None = None
    match first, second:
        case Gain(), Gain():
            merged = Gain(first.values * second.values)
        case Matrix(), Gain():
            merged = Matrix(np.asarray(first.weight, np.float64) * second.values, first.macs)
        case Gain(), Matrix():
            merged = Matrix(np.asarray(second.weight, np.float64) * first.values[:, None], second.macs)
        case Matrix(), Matrix():
            weight = np.asarray(first.weight, np.float64) @ second.weight
            merged = Matrix(weight, first.macs + second.macs)
        case Kernel(), Gain():
            factors = second.by_channel(first.target)
            merged = None if factors is None else first.scaled(behind=factors)
        case Gain(), Kernel():
            factors = first.by_channel(second.source)
            merged = None if factors is None else second.scaled(before=factors)
        case Kernel(), Kernel():
            merged = _convolve(first, second)
    return merged


def _convolve(first: Kernel, second: Kernel) -> Kernel | None:
    """Return two convolutions as one: tap j of the second shifts the first by j * dilation * stride.

    None where the second's padding stands for lines of the first's map that the input would reach, were
    the map larger: there the second sees zeros, the one kernel would not. None, too, where channels are
    flattened between, or where the kernel would hold more weights than a dense matrix.
    """
    if first.target != second.source or not all(_padding_is_empty(first, second, axis) for axis in (0, 1)):
        return None
    if first.groups != second.groups:
        first, second = first.ungrouped(), second.ungrouped()
    groups, inner = first.groups, first.target[0] // first.groups
    shift = [d * s for d, s in zip(second.dilation, first.stride, strict=True)]
    high, wide = (
        (b - 1) * by + (a - 1) * d + 1
        for a, b, by, d in zip(
            first.weight.shape[2:], second.weight.shape[2:], shift, first.dilation, strict=True
        )
    )
    channels, out = first.weight.shape[1], second.weight.shape[0]
    if out * channels * high * wide > MAX_COMPOSED:
        return None
    one = np.asarray(first.weight, np.float64).reshape(groups, inner, channels, *first.weight.shape[2:])
    two = np.asarray(second.weight, np.float64).reshape(groups, -1, inner, *second.weight.shape[2:])
    weight = np.zeros((groups, out // groups, channels, high, wide))
    down, across = (slice(0, (n - 1) * d + 1, d) for n, d in zip(one.shape[3:], first.dilation, strict=True))
    for j, i in np.ndindex(*two.shape[3:]):
        window = weight[..., j * shift[0] :, i * shift[1] :]
        window[..., down, across] += np.einsum("gom,gmnyx->gonyx", two[..., j, i], one)
    return Kernel(
        weight.reshape(out, channels, high, wide),
        first.source,
        second.target,
        (first.stride[0] * second.stride[0], first.stride[1] * second.stride[1]),
        (
            first.padding[0] + second.padding[0] * first.stride[0],
            first.padding[1] + second.padding[1] * first.stride[1],
        ),
        (1, 1),
        groups,
        first.macs + second.macs,
    )


def _padding_is_empty(first: Kernel, second: Kernel, axis: int) -> bool:
    """Tell whether no input reaches the lines outside the first's map that the second reads as zeros."""
    size = first.target[1 + axis]
    taps = np.arange(second.weight.shape[2 + axis]) * second.dilation[axis] - second.padding[axis]
    read = np.unique(np.arange(second.target[1 + axis])[:, None] * second.stride[axis] + taps)
    outside = read[(read < 0) | (read >= size)]
    reached = np.arange(first.weight.shape[2 + axis]) * first.dilation[axis] - first.padding[axis]
    lines = outside[:, None] * first.stride[axis] + reached
    return not ((lines >= 0) & (lines < first.source[1 + axis])).any()


def _dense(name: str, operators: list[Operator]) -> Matrix:
    """Write operators out as one matrix, from the end where that is the smaller side."""
    pre, post, last = operators[0].ends[0], operators[-1].ends[1], operators[-1]
    across = post if isinstance(last, Matrix) else pre
    widest = across * max(size for operator in operators for size in operator.ends)
    if widest > MAX_COMPOSED:
        raise InputError(
            name,
            [
                f"{name}: layers without a neuron between, from {pre} to {post} elements, are no single "
                f"convolution; as a dense matrix they would take {widest} weights, at most {MAX_COMPOSED} "
                "are composed"
            ],
        )
    require(name, 3 * 8 * widest)
    macs = sum(operator.macs for operator in operators)
    if isinstance(last, Matrix):
        signals: Doubles = np.asarray(last.weight.T, np.float64)
        for operator in reversed(operators[:-1]):
            signals = operator.pull(signals)
        return Matrix(signals.T, macs)
    signals = np.eye(pre)
    for operator in operators:
        signals = operator.push(signals)
    return Matrix(signals, macs)
