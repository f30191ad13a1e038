"""The torch model: layers of CubaLIF neurons behind batch-normalised synapses, and a leaky readout.

It trains in two phases. In the first, weights are exact and batch norm takes each batch's own statistics. In
the second (`Net.quantise`) batch norm is frozen and folded into the weights, and the folded weights are
rounded to the grid of `nmbench.training.grid` in every forward pass: the network that is trained is the
network that is written (Jacob et al. 2018, CVPR; Krishnamoorthi 2018, arXiv:1806.08342, section 3.2.2).
"""

from __future__ import annotations

from math import log, prod

import torch
from torch import Tensor, nn

from nmbench.training.grid import BIAS_BITS, straight_through
from nmbench.training.neuron import cuba_lif, leaky_integral
from nmbench.training.recipe import Conv, Dense, Recipe

TAU_S = (1e-3, 0.5)
"""Limits of every learned time constant, seconds."""


class Synapses(nn.Module):
    """Feed-forward synapses with batch norm.

    Attributes
    ----------
    bits
        Of the folded weights' grid; None: exact weights, batch norm apart.
    low
        Products take their factors as bfloat16 while training; sums stay float32. Spikes and weights of 8
        bits are exact in it.
    """

    weight: nn.Parameter
    norm: nn.BatchNorm1d | nn.BatchNorm2d

    def __init__(self, low: bool) -> None:
        super().__init__()
        self.bits: int | None = None
        self.low = low

    def synapses(self) -> Tensor:
        """Return the weights, zero where there is no synapse; the postsynaptic axis first."""
        raise NotImplementedError

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weights and bias with the batch norm's running statistics folded in, before rounding."""
        norm = self.norm
        if norm.running_mean is None or norm.running_var is None:
            raise RuntimeError("batch norm without running statistics")
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight = self.synapses()
        return weight * gain.reshape(-1, *[1] * (weight.ndim - 1)), norm.bias - gain * norm.running_mean

    def rounded(self, bits: int | None) -> tuple[Tensor, Tensor]:
        """Return the folded weights on their grid and the bias on its own; gradients pass through."""
        weight, bias = self.folded()
        return straight_through(weight, bits), straight_through(bias, None if bits is None else BIAS_BITS)

    @property
    def factor(self) -> torch.dtype:
        """Type of a product's factors."""
        return torch.bfloat16 if self.low and self.training else torch.float32


class ConvSynapses(Synapses):
    """A convolution with batch norm over each channel, ``[T, B, C, H, W]`` to ``[T, B, C', H', W']``."""

    def __init__(self, channels: int, layer: Conv, low: bool) -> None:
        super().__init__(low)
        shape = (layer.channels, channels, layer.kernel, layer.kernel)
        # uniform within 1 / sqrt(fan-in), as torch's own convolutions begin
        self.weight = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(shape), a=5**0.5))
        self.stride, self.padding = layer.stride, layer.padding
        self.norm = nn.BatchNorm2d(layer.channels)

    def synapses(self) -> Tensor:
        """Return the kernels ``[C', C, kh, kw]``."""
        return self.weight

    def forward(self, spikes: Tensor) -> Tensor:
        """Return the feed-forward current of every step."""
        flat = spikes.flatten(0, 1)
        if self.bits is None:
            current: Tensor = self.norm(self._product(flat, self.weight))
        else:
            weight, bias = self.rounded(self.bits)
            current = self._product(flat, weight) + bias[:, None, None]
        return current.reshape(*spikes.shape[:2], *current.shape[1:])

    def _product(self, spikes: Tensor, weight: Tensor) -> Tensor:
        # channels last: several times faster with few channels on a CPU
        given = spikes.to(self.factor, memory_format=torch.channels_last)
        made = nn.functional.conv2d(given, weight.to(self.factor), None, self.stride, self.padding)
        return made.to(torch.float32, memory_format=torch.contiguous_format)


class DenseSynapses(Synapses):
    """Full connections with delays and batch norm over each neuron, ``[T, B, N]`` to ``[T, B, M]``.

    Attributes
    ----------
    weight
        ``[M, K, N]``, one slice for each of the K delays.
    mask
        Zeros and ones like ``weight``: which synapses exist. With ``one_at_random`` each pair of neurons has
        at most one, its delay drawn once from torch's generator.
    """

    mask: Tensor

    def __init__(self, inputs: int, layer: Dense, low: bool) -> None:
        super().__init__(low)
        self.delays = layer.delays
        shape = (layer.units, len(layer.delays), inputs)
        mask = torch.ones(shape)
        if layer.taps == "one_at_random":
            drawn = torch.randint(len(layer.delays), (layer.units, 1, inputs))
            mask = torch.zeros(shape).scatter_(1, drawn, 1.0)
        self.register_buffer("mask", mask)
        self.fan_in = inputs * (1 if layer.taps == "one_at_random" else len(layer.delays))
        bound = self.fan_in**-0.5
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.norm = nn.BatchNorm1d(layer.units)

    def synapses(self) -> Tensor:
        """Return the weights of the synapses that exist, zero elsewhere, ``[M, K, N]``."""
        return self.weight * self.mask

    def forward(self, spikes: Tensor) -> Tensor:
        """Return the feed-forward current of every step; before step zero there was no spike."""
        given = spikes.to(self.factor)
        # one product for all delays: K thin products on one core take longer
        late = torch.cat([delayed(given, d) for d in self.delays], dim=-1) if any(self.delays) else given
        flat = late.flatten(0, 1)
        if self.bits is None:
            current: Tensor = self.norm(self._product(flat, self.synapses()))
        else:
            weight, bias = self.rounded(self.bits)
            current = self._product(flat, weight) + bias
        return current.reshape(*spikes.shape[:2], -1)

    def _product(self, spikes: Tensor, weight: Tensor) -> Tensor:
        return (spikes @ weight.flatten(1).t().to(self.factor)).float()

    @torch.no_grad()
    def prune(self, density: float) -> None:
        """Take away the synapses whose folded weights are smallest, until this share of them is left.

        Every postsynaptic neuron keeps as many as the others: the fan-in is what hardware reserves.
        """
        strength = self.folded()[0].abs() * self.mask
        kept = max(1, round(density * self.fan_in))
        flat = strength.flatten(1)
        keep = torch.zeros_like(flat).scatter_(1, flat.topk(kept, dim=1).indices, 1.0)
        self.mask.mul_(keep.reshape(self.mask.shape))


def delayed(spikes: Tensor, steps: int) -> Tensor:
    """Shift spikes ``[T, B, N]`` to later steps; zeros come in, what leaves the last step is lost."""
    if steps == 0:
        return spikes
    return torch.cat([torch.zeros_like(spikes[:steps]), spikes[:-steps]])


class Layer(nn.Module):
    """Synapses and the CubaLIF neurons behind them.

    Attributes
    ----------
    log_tau_syn, log_tau_mem
        Logarithms of the time constants in seconds: ``[C, 1, 1]`` or ``[N]``.
    recurrent
        ``[N, N]``, post by pre, or None.
    """

    def __init__(self, shape: tuple[int, ...], layer: Conv | Dense, recipe: Recipe) -> None:
        super().__init__()
        self.dt_s = recipe.dt_s
        self.synapses: ConvSynapses | DenseSynapses
        units: tuple[int, ...]
        low = recipe.products == "bfloat16"
        if isinstance(layer, Conv):
            self.synapses, units = ConvSynapses(shape[0], layer, low), (layer.channels, 1, 1)
            side = [(n + 2 * layer.padding - layer.kernel) // layer.stride + 1 for n in shape[1:]]
            self.shape: tuple[int, ...] = (layer.channels, *side)
        else:
            self.synapses, units = DenseSynapses(prod(shape), layer, low), (layer.units,)
            self.shape = (layer.units,)
        self.log_tau_syn = nn.Parameter(torch.empty(units).uniform_(*map(log, recipe.tau_syn_s)))
        self.log_tau_mem = nn.Parameter(torch.empty(units).uniform_(*map(log, recipe.tau_mem_s)))
        self.recurrent: nn.Parameter | None = None
        if isinstance(layer, Dense) and layer.recurrent:
            self.recurrent = nn.Parameter(0.5 * nn.init.orthogonal_(torch.empty(layer.units, layer.units)))

    def forward(self, spikes: Tensor) -> Tensor:
        """Return this layer's spikes, ``[T, B, *shape]``."""
        if isinstance(self.synapses, DenseSynapses):
            spikes = spikes.flatten(2)
        a, b = decay(self.log_tau_syn, self.dt_s), decay(self.log_tau_mem, self.dt_s)
        bits = self.synapses.bits
        recurrent = None if self.recurrent is None else straight_through(self.recurrent, bits)
        return cuba_lif(self.synapses(spikes), a, b, recurrent)


class Net(nn.Module):
    """A reference network: layers in a row and an LI readout.

    Parameters
    ----------
    shape
        Of the input population, ``(C, H, W)`` or ``(N,)``.
    classes
        Size of the readout.

    Attributes
    ----------
    bits
        Of the weights' grid in the forward pass; None before `quantise`.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, recipe: Recipe) -> None:
        super().__init__()
        self.dt_s, self.dropout, self.input_shape = recipe.dt_s, recipe.dropout, shape
        self.bits: int | None = None
        self.layers = nn.ModuleList()
        for layer in recipe.layers:
            self.layers.append(Layer(shape, layer, recipe))
            shape = self.stack[-1].shape
        self.readout = nn.Linear(prod(shape), classes)
        self.log_tau_readout = nn.Parameter(torch.full((classes,), log(recipe.tau_readout_s)))

    @property
    def stack(self) -> list[Layer]:
        """The layers, typed."""
        return [layer for layer in self.layers if isinstance(layer, Layer)]

    def quantise(self, bits: int | None) -> None:
        """Freeze and fold batch norm, and round every weight in the forward pass; None: the first phase."""
        self.bits = bits
        for layer in self.stack:
            layer.synapses.bits = bits

    def forward(self, spikes: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Run a batch.

        Parameters
        ----------
        spikes
            Counts of input spikes, ``[T, B, *shape]``.

        Returns
        -------
        tuple
            The readout's membrane ``[T, B, classes]`` and each layer's spikes.
        """
        every = []
        for layer in self.stack:
            fired = layer(spikes)
            every.append(fired)
            spikes = self._dropped(fired)
        weight = straight_through(self.readout.weight, self.bits)
        bias = straight_through(self.readout.bias, None if self.bits is None else BIAS_BITS)
        current = nn.functional.linear(spikes.flatten(2), weight, bias)
        return leaky_integral(current, decay(self.log_tau_readout, self.dt_s)), every

    def _dropped(self, spikes: Tensor) -> Tensor:
        """Silence neurons for a whole sample: a mask drawn anew each step would average out over time."""
        if not self.training or self.dropout == 0.0:
            return spikes
        return spikes * nn.functional.dropout(torch.ones_like(spikes[0]), self.dropout)


def decay(log_tau: Tensor, dt_s: float) -> Tensor:
    """Return ``exp(-dt / tau)`` with the time constant held within `TAU_S`."""
    return torch.exp(-dt_s / log_tau.clamp(*map(log, TAU_S)).exp())


def log_mean_softmax(trace: Tensor) -> Tensor:
    """Return the log of the time mean of the readout's softmax, ``[T, B, classes]`` to ``[B, classes]``."""
    return torch.logsumexp(trace.log_softmax(-1), 0) - log(len(trace))
