"""Linear operators between two populations: per-element gains, matrices, convolutions, and their products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nmbench.network.primitives import Doubles

Map = tuple[int, int, int]
Pair = tuple[int, int]
Lines = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Gain:
    """Multiply each of n elements by its own factor, ``values[n]``."""

    values: Doubles

    @property
    def ends(self) -> Pair:
        """Count the elements on either side."""
        return len(self.values), len(self.values)

    @property
    def macs(self) -> int:
        """Count none: a gain is folded into weights."""
        return 0

    def push(self, signals: Doubles) -> Doubles:
        """Apply to signals ``[b, n]``."""
        return signals * self.values

    def pull(self, signals: Doubles) -> Doubles:
        """Apply the transpose."""
        return signals * self.values

    def by_channel(self, map_: Map) -> Doubles | None:
        """Return one factor a channel of a map, ``[C]``; None where they differ within one."""
        values = self.values.reshape(map_[0], -1)
        return values[:, 0] if (values == values[:, :1]).all() else None


@dataclass(frozen=True, eq=False)
class Matrix:
    """Multiply by ``weight[pre, post]``; ``macs`` of the graph's layers that it stands for."""

    weight: npt.NDArray[np.floating[Any]]
    macs: int

    @property
    def ends(self) -> Pair:
        """Count the elements on either side."""
        pre, post = self.weight.shape
        return pre, post

    def push(self, signals: Doubles) -> Doubles:
        """Apply to signals ``[b, pre]``."""
        return signals @ self.weight

    def pull(self, signals: Doubles) -> Doubles:
        """Apply the transpose to signals ``[b, post]``."""
        return signals @ self.weight.T


@dataclass(frozen=True, eq=False)
class Kernel:
    """Cross-correlate a map with ``weight[out, in / groups, kh, kw]``.

    ``padding`` stands before the first row and column; behind the last as much as ``target`` asks for.
    """

    weight: npt.NDArray[np.floating[Any]]
    source: Map
    target: Map
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    macs: int

    @property
    def ends(self) -> Pair:
        """Count the elements on either side."""
        return int(np.prod(self.source)), int(np.prod(self.target))

    def push(self, signals: Doubles) -> Doubles:
        """Apply to signals ``[b, source]``."""
        images = signals.reshape(len(signals), self.groups, -1, *self.source[1:])
        result = np.zeros((len(signals), self.groups, self.target[0] // self.groups, *self.target[1:]))
        for weight, (to_y, to_x), (y, x) in self._taps():
            result[:, :, :, to_y, to_x] += np.einsum("bgcyx,goc->bgoyx", images[:, :, :, y, x], weight)
        return result.reshape(len(signals), -1)

    def pull(self, signals: Doubles) -> Doubles:
        """Apply the transpose to signals ``[b, target]``."""
        images = signals.reshape(len(signals), self.groups, -1, *self.target[1:])
        result = np.zeros((len(signals), self.groups, self.source[0] // self.groups, *self.source[1:]))
        for weight, (to_y, to_x), (y, x) in self._taps():
            result[:, :, :, y, x] += np.einsum("bgoyx,goc->bgcyx", images[:, :, :, to_y, to_x], weight)
        return result.reshape(len(signals), -1)

    def scaled(self, before: Doubles | None = None, behind: Doubles | None = None) -> Kernel:
        """Multiply source channels ``[C_in]`` and target channels ``[C_out]`` by factors."""
        weight = np.asarray(self.weight, np.float64)
        if before is not None:
            of_group = before.reshape(self.groups, 1, -1)
            each = weight.reshape(self.groups, -1, *weight.shape[1:])
            weight = (each * of_group[..., None, None]).reshape(weight.shape)
        if behind is not None:
            weight = weight * behind[:, None, None, None]
        return replace(self, weight=weight)

    def ungrouped(self) -> Kernel:
        """Return the same operator in one group."""
        if self.groups == 1:
            return self
        out, channels, *size = self.weight.shape
        weight = np.zeros((self.groups, out // self.groups, self.groups, channels, *size))
        every = np.arange(self.groups)
        weight[every, :, every] = self.weight.reshape(self.groups, -1, channels, *size)
        return replace(self, weight=weight.reshape(out, -1, *size), groups=1)

    def _taps(self) -> Iterator[tuple[Doubles, Lines, Lines]]:
        """Yield each tap's weights ``[group, out, in]``, and the lines of target and source that it joins."""
        channels, high, wide = self.weight.shape[1:]
        weight = np.asarray(self.weight, np.float64).reshape(self.groups, -1, channels, high, wide)
        for j in range(high):
            to_y, y = self._lines(0, j)
            for i in range(wide):
                to_x, x = self._lines(1, i)
                yield weight[..., j, i], (to_y, to_x), (y, x)

    def _lines(self, axis: int, tap: int) -> tuple[slice, slice]:
        """Return the target's lines that a tap reaches, and the source's lines that reach them."""
        stride, size = self.stride[axis], self.source[1 + axis]
        shift = tap * self.dilation[axis] - self.padding[axis]
        first = max(0, -(shift // stride))
        last = min(self.target[1 + axis] - 1, (size - 1 - shift) // stride)
        if last < first:
            return slice(0), slice(0)
        return slice(first, last + 1), slice(first * stride + shift, last * stride + shift + 1, stride)


Operator = Gain | Matrix | Kernel
