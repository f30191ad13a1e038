"""Integers times one power of two: the grid that weights and biases are rounded to, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

BIAS_BITS = 16


def on_grid(values: Tensor, bits: int) -> Tensor:
    """Round to signed integers of ``bits`` bits times one power of two.

    The power is that of the least squared error; large values are clipped where finer steps for all the
    others are worth it.

    Returns
    -------
    torch.Tensor
        Of the type of ``values``, the products themselves (exact: an int16 times a power of two).
    """
    exact = values.detach().double()
    largest = float(exact.abs().max()) if exact.numel() else 0.0
    if largest == 0.0:
        return torch.zeros_like(values)
    coarsest = _ceil_log2(largest / (2 ** (bits - 1) - 1))
    tried = [_rounded(exact, bits, exponent) for exponent in range(coarsest, coarsest - 4, -1)]
    return min(tried, key=lambda rounded: float((rounded - exact).square().sum())).to(values.dtype)


def _ceil_log2(value: float) -> int:
    return int(torch.tensor(value, dtype=torch.float64).log2().ceil())


def _rounded(exact: Tensor, bits: int, exponent: int) -> Tensor:
    limit = 2 ** (bits - 1) - 1  # symmetric: -128 would have no counterpart
    return (exact * 2.0**-exponent).round_().clamp_(-limit, limit).mul_(2.0**exponent)


class _StraightThrough(torch.autograd.Function):
    """Rounding whose gradient is that of no rounding (Bengio et al. 2013, arXiv:1308.3432)."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, bits: int) -> Tensor:
        return on_grid(values, bits)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


_apply: Callable[[Tensor, int], Tensor] = _StraightThrough.apply


def straight_through(values: Tensor, bits: int | None) -> Tensor:
    """Return `on_grid` of the values, and pass gradients as if it had done nothing; ``None``: do nothing."""
    return values if bits is None else _apply(values, bits)
