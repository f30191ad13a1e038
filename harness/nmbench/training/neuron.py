r"""CubaLIF neurons over all steps of a batch, with gradients by hand-written backpropagation through time.

One step, in the dialect ``nmbench`` with ``w_in = tau_syn / dt``, ``r = 1``, ``v_leak = 0``, threshold 1:

.. math::
    i_t = a i_{t-1} + x_t + V s_{t-1}, \qquad u_t = b v_{t-1} + (1 - b) i_t, \qquad
    s_t = [u_t > 1], \qquad v_t = u_t (1 - s_t)

The reset is detached: :math:`\partial v_t / \partial u_t = 1 - s_t`. The spike's derivative is the fast
sigmoid's, :math:`1 / (1 + 5 |u - 1|)^2` (Zenke & Ganguli 2018, Neural Comput. 30, 1514; surrogate gradients:
Neftci et al. 2019, IEEE Signal Process. Mag. 36, 51).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

SLOPE = 5.0


class _Spikes(torch.autograd.Function):
    """Spikes of a layer; autograd would keep and walk some ten nodes a step where this keeps two tensors."""

    @staticmethod
    def forward(ctx: Any, current: Tensor, a: Tensor, b: Tensor, recurrent: Tensor | None) -> Tensor:
        steps = len(current)
        i, u, s = torch.empty_like(current), torch.empty_like(current), torch.empty_like(current)
        v = torch.zeros_like(current[0])
        gain = 1.0 - b
        for t in range(steps):
            if t == 0:
                i[t] = current[t]
            else:
                torch.addcmul(current[t], i[t - 1], a, out=i[t])
                if recurrent is not None:
                    i[t].addmm_(s[t - 1], recurrent.t())
            torch.mul(i[t], gain, out=u[t])
            u[t].addcmul_(v, b)
            torch.gt(u[t], 1.0, out=s[t])
            v = torch.where(u[t] > 1.0, 0.0, u[t])
        ctx.save_for_backward(i, u, s, a, b, recurrent)
        return s

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        (from_above,) = grads
        i, u, s, a, b, recurrent = ctx.saved_tensors
        gain = 1.0 - b
        to_i = torch.empty_like(i)
        to_u, later, part = (torch.empty_like(u[0]) for _ in range(3))
        to_a, to_b = torch.zeros_like(u[0]), torch.zeros_like(u[0])
        # step by step, so that all but the layer's own tensors stay in the cache
        for t in range(len(u) - 1, -1, -1):
            last = t == len(u) - 1
            to_s = from_above[t]
            if recurrent is not None and not last:
                to_s = torch.addmm(to_s, to_i[t + 1], recurrent)
            torch.sub(u[t], 1.0, out=part).abs_().mul_(SLOPE).add_(1.0).square_().reciprocal_()
            torch.mul(to_s, part, out=to_u)
            if not last:
                kept = u[t] <= 1.0
                to_u.addcmul_(torch.mul(later, b, out=part), kept)
                to_b.addcmul_(later, torch.mul(u[t], kept, out=part))
                to_a.addcmul_(to_i[t + 1], i[t])
            to_b.addcmul_(to_u, i[t], value=-1.0)
            torch.mul(to_u, gain, out=to_i[t])
            if not last:
                to_i[t].addcmul_(to_i[t + 1], a)
            to_u, later = later, to_u
        to_recurrent = None
        if recurrent is not None:
            to_recurrent = to_i[1:].flatten(0, 1).t() @ s[:-1].flatten(0, 1)
        return to_i, to_a.sum_to_size(a.shape), to_b.sum_to_size(b.shape), to_recurrent


_apply: Callable[..., Tensor] = _Spikes.apply


def cuba_lif(current: Tensor, a: Tensor, b: Tensor, recurrent: Tensor | None = None) -> Tensor:
    """Return the spikes of a layer.

    Parameters
    ----------
    current
        Feed-forward current of every step, ``[T, B, *shape]``.
    a, b
        Decay per step of the synapse and of the membrane, in (0, 1); they broadcast against ``shape``.
    recurrent
        Weights from the layer's spikes to itself one step later, ``[post, pre]``; ``shape`` is ``(N,)`` then.

    Returns
    -------
    torch.Tensor
        Zeros and ones, ``[T, B, *shape]``.
    """
    return _apply(current, a, b, recurrent)


def leaky_integral(current: Tensor, b: Tensor) -> Tensor:
    """Return the membrane of a readout that never spikes, ``v = b v + (1 - b) x``: ``[T, B, N]``."""
    v = torch.zeros_like(current[0])
    gain = 1.0 - b
    trace = []
    for x in current:
        v = b * v + gain * x
        trace.append(v)
    return torch.stack(trace)
