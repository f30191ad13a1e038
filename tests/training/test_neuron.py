"""The hand-written gradients equal autograd's on the same equations."""

from __future__ import annotations

import pytest
import torch

from nmbench.training.neuron import SLOPE, cuba_lif, leaky_integral


class Heaviside(torch.autograd.Function):
    """A spike with the surrogate derivative, one step at a time."""

    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return (u > 1.0).to(u.dtype)

    @staticmethod
    def backward(ctx, grad):
        (u,) = ctx.saved_tensors
        return grad / (1.0 + SLOPE * (u - 1.0).abs()) ** 2


def step_by_step(current, a, b, recurrent):
    i = v = s = torch.zeros_like(current[0])
    out = []
    for x in current:
        i = a * i + x + (0.0 if recurrent is None else s @ recurrent.t())
        u = b * v + (1.0 - b) * i
        s = Heaviside.apply(u)
        v = u * (1.0 - s.detach())
        out.append(s)
    return torch.stack(out)


@pytest.mark.parametrize(("shape", "recurrent"), [((5,), False), ((5,), True), ((2, 3, 2), False)])
def test_gradients_equal_autograd(shape: tuple[int, ...], recurrent: bool) -> None:
    torch.manual_seed(1)
    units = shape if len(shape) == 1 else (shape[0], 1, 1)
    inputs = [
        torch.randn(12, 3, *shape, dtype=torch.float64) * 3 + 0.5,
        torch.rand(units, dtype=torch.float64),
        torch.rand(units, dtype=torch.float64),
        torch.randn(*shape, *shape, dtype=torch.float64) if recurrent else None,
    ]
    weights = torch.randn(12, 3, *shape, dtype=torch.float64)
    found = []
    for law in (cuba_lif, step_by_step):
        given = [None if x is None else x.clone().requires_grad_() for x in inputs]
        spikes = law(*given)
        (spikes * weights).sum().backward()
        found.append([spikes, *(x.grad for x in given if x is not None)])
    assert 0 < found[0][0].mean() < 1
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_readout_settles_at_its_input() -> None:
    trace = leaky_integral(torch.full((200, 1, 2), 3.0), torch.tensor([0.5, 0.9]))
    torch.testing.assert_close(trace[-1], torch.full((1, 2), 3.0))
    torch.testing.assert_close(trace[0], torch.tensor([[1.5, 0.3]]))
