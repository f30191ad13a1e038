"""The torch model: layers of CubaLIF neurons behind batch-normalised synapses, and a leaky readout."""

from __future__ import annotations

from math import log, prod

import torch
from torch import Tensor, nn

from nmbench.training.neuron import cuba_lif, leaky_integral
from nmbench.training.recipe import Conv, Dense, Recipe

TAU_S = (1e-3, 0.5)
"""Limits of every learned time constant, seconds."""


class ConvSynapses(nn.Module):
    """A convolution with batch norm over each channel, ``[T, B, C, H, W]`` to ``[T, B, C', H', W']``."""

    def __init__(self, channels: int, layer: Conv) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride, layer.padding, bias=False)
        self.norm = nn.BatchNorm2d(layer.channels)

    def forward(self, spikes: Tensor) -> Tensor:
        """Return the feed-forward current of every step."""
        current: Tensor = self.norm(self.conv(spikes.flatten(0, 1)))
        return current.reshape(*spikes.shape[:2], *current.shape[1:])


class DenseSynapses(nn.Module):
    """Full connections with delays and batch norm over each neuron, ``[T, B, N]`` to ``[T, B, M]``.

    Attributes
    ----------
    weight
        ``[M, K, N]``, one slice for each of the K delays.
    mask
        Zeros and ones like ``weight``: which synapses exist. With ``one_at_random`` each pair of neurons has
        exactly one, its delay drawn once from torch's generator.
    """

    mask: Tensor

    def __init__(self, inputs: int, layer: Dense) -> None:
        super().__init__()
        self.delays = layer.delays
        shape = (layer.units, len(layer.delays), inputs)
        mask = torch.ones(shape)
        if layer.taps == "one_at_random":
            drawn = torch.randint(len(layer.delays), (layer.units, 1, inputs))
            mask = torch.zeros(shape).scatter_(1, drawn, 1.0)
        self.register_buffer("mask", mask)
        bound = (inputs * (1 if layer.taps == "one_at_random" else len(layer.delays))) ** -0.5
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.norm = nn.BatchNorm1d(layer.units)

    def forward(self, spikes: Tensor) -> Tensor:
        """Return the feed-forward current of every step; before step zero there was no spike."""
        late = torch.cat([delayed(spikes, d) for d in self.delays], dim=-1) if any(self.delays) else spikes
        # one product for all delays: K thin products on one core take longer
        current = late.flatten(0, 1) @ self.synapses().flatten(1).t()
        normed: Tensor = self.norm(current)
        return normed.reshape(*spikes.shape[:2], -1)

    def synapses(self) -> Tensor:
        """Return the weights of the synapses that exist, zero elsewhere, ``[M, K, N]``."""
        return self.weight * self.mask


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
        if isinstance(layer, Conv):
            self.synapses, units = ConvSynapses(shape[0], layer), (layer.channels, 1, 1)
            side = [(n + 2 * layer.padding - layer.kernel) // layer.stride + 1 for n in shape[1:]]
            self.shape: tuple[int, ...] = (layer.channels, *side)
        else:
            self.synapses, units = DenseSynapses(prod(shape), layer), (layer.units,)
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
        return cuba_lif(self.synapses(spikes), a, b, self.recurrent)


class Net(nn.Module):
    """A reference network: layers in a row and an LI readout.

    Parameters
    ----------
    shape
        Of the input population, ``(C, H, W)`` or ``(N,)``.
    classes
        Size of the readout.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, recipe: Recipe) -> None:
        super().__init__()
        self.dt_s, self.dropout, self.input_shape = recipe.dt_s, recipe.dropout, shape
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
        return leaky_integral(self.readout(spikes.flatten(2)), decay(self.log_tau_readout, self.dt_s)), every

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
