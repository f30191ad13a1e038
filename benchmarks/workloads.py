"""SPEED.md's workloads as nmbench networks, as spikes, and as plain arrays for the peers.

The reference step is ``v = beta*v + I; s = v >= 1; v = 0 where s``, the readout a leaky integrator. In
nmbench's terms: NIR's LIF and LI with tau = 16 steps and r = 16 under Euler (decay 1 - 1/16 and gain 1,
both exact in float32), ties spike, reset to zero, a recurrent spike arrives one step later. Weights are
multiples of a power of two, so that a sum of them is the same in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Floats, Network, Population, Projection
from nmbench.spikes import SpikeBatch

DT_S = 1e-3
BETA = 15 / 16
DIALECT = Dialect(dt=DT_S, integrator="euler", tie="ge", reset="to_v_reset", recurrent_delay=1)


@dataclass(frozen=True)
class Layer:
    """One population and how the one before it reaches it.

    Attributes
    ----------
    shape
        ``(C, H, W)`` or ``(N,)``.
    scale
        Standard deviation of the weights, times the square root of a target's fan-in.
    kernel, stride, pool
        Of a convolution, padded by ``kernel // 2``; 0: dense. ``pool``: the spikes are summed over squares
        of this size first.
    recurrent
        Standard deviation of the weights within the population, 0: none.
    """

    shape: tuple[int, ...]
    scale: float
    kernel: int = 0
    stride: int = 1
    pool: int = 1
    recurrent: float = 0.0
    spiking: bool = True

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class Recipe:
    """A workload before its weights and spikes are drawn.

    Attributes
    ----------
    events
        Input events of each sample, all in different cells of (step, neuron).
    samples
        How many are drawn; larger batches repeat them.
    grid
        Weights are multiples of 1 / grid. Coarser in the convolution nets: all that can arrive at a neuron in
        a step must fit int16.
    """

    name: str
    shape: tuple[int, ...]
    steps: int
    events: int
    layers: tuple[Layer, ...]
    samples: int
    grid: int = 4096
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Workload:
    """A network, samples, and the weights of each layer as the peers read them."""

    recipe: Recipe
    network: Network
    batch: SpikeBatch
    weights: tuple[Floats, ...]
    recurrent: tuple[Floats | None, ...]


def _readout(classes: int, scale: float = 0.3, pool: int = 1) -> Layer:
    return Layer((classes,), scale, pool=pool, spiking=False)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("W1", (700,), 100, 8005, (Layer((256,), 1.287, recurrent=0.03), _readout(20)), 64),
        Recipe("W1s", (700,), 100, 1052, (Layer((256,), 2.671, recurrent=0.03), _readout(20)), 64),
        Recipe("W2", (2312,), 300, 3990, (Layer((512,), 12.132), Layer((256,), 1.721), _readout(10)), 32),
        Recipe(
            "nm",
            (2, 34, 34),
            300,
            4500,
            (Layer((16, 17, 17), 4.078, 5, 2), Layer((32, 9, 9), 2.762, 3, 2), _readout(10)),
            16,
            512,
        ),
        Recipe(
            "ds",
            (2, 128, 128),
            300,
            40000,
            (Layer((16, 32, 32), 0.537, 3, 1, 4), Layer((32, 16, 16), 1.277, 3, 1, 2), _readout(11, pool=2)),
            8,
            512,
        ),
    )
}


def make(name: str, samples: int | None = None) -> Workload:
    """Draw a workload of that name; the same at every call."""
    recipe = RECIPES[name]
    return draw(recipe if samples is None else replace(recipe, samples=samples))


def draw(recipe: Recipe) -> Workload:
    """Draw weights and spikes by the recipe's seed."""
    rng = np.random.default_rng(recipe.seed)
    populations = [Population("in", "Input", recipe.shape, None)]
    projections: list[Projection] = []
    weights: list[Floats] = []
    recurrent: list[Floats | None] = []
    for number, layer in enumerate(recipe.layers, start=1):
        before = populations[-1].shape
        weights.append(_draw(rng, layer, before, recipe.grid))
        populations.append(
            Population(f"layer{number}", "LIF" if layer.spiking else "LI", layer.shape, _law(layer))
        )
        projections.append(_projection(number, layer, before, weights[-1]))
        within = None
        if layer.recurrent:
            within = on_grid(rng.normal(0, layer.recurrent, (layer.size,) * 2), recipe.grid)
        recurrent.append(within)
        if within is not None:
            projections.append(Projection(f"recurrent{number}", number, number, "dense", within, delay=1))
    network = Network(tuple(populations), tuple(projections), len(populations) - 1, DIALECT, "")
    batch = spikes(rng, recipe)
    return Workload(recipe, network, batch, tuple(weights), tuple(recurrent))


def on_grid(values: npt.NDArray[np.float64], grid: int) -> Floats:
    """Round to multiples of 1 / grid, a power of two."""
    return (np.round(values * grid) / grid).astype(np.float32)


def spikes(rng: np.random.Generator, recipe: Recipe) -> SpikeBatch:
    """Draw each sample's events without a cell that spikes twice."""
    size, steps = int(np.prod(recipe.shape)), recipe.steps
    index, counts = [], []
    for _ in range(recipe.samples):
        cells = np.sort(rng.choice(steps * size, recipe.events, replace=False))
        index.append((cells % size).astype(np.int32))
        counts.append(np.bincount(cells // size, minlength=steps))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return SpikeBatch(DT_S, steps, recipe.shape, offsets, np.concatenate(index))


def _draw(rng: np.random.Generator, layer: Layer, before: tuple[int, ...], grid: int) -> Floats:
    """Draw dense ``[pre, post]`` (``pre`` after pooling) or convolution weights ``[out, in, k, k]``."""
    if layer.kernel:
        fan_in = before[0] * layer.kernel**2
        shape: tuple[int, ...] = (layer.shape[0], before[0], layer.kernel, layer.kernel)
    else:
        fan_in = int(np.prod(before)) // layer.pool**2
        shape = (fan_in, layer.size)
    return on_grid(rng.normal(0, layer.scale / np.sqrt(fan_in), shape), grid)


def _law(layer: Layer) -> Dynamics:
    def each(value: float) -> Floats:
        return np.full(layer.size, value, np.float32)

    return Dynamics(
        syn_decay=each(0),
        syn_gain=each(1),
        mem_decay=each(BETA),
        mem_gain=each(1),
        leak=each(0),
        bias=each(0),
        threshold=each(1 if layer.spiking else np.inf),
        v_reset=each(0),
        spiking=layer.spiking,
    )


def _projection(number: int, layer: Layer, before: tuple[int, ...], weight: Floats) -> Projection:
    """Fold the pooling into the synapses: each weight stands once for every spike that the sum takes."""
    name, pool = f"weight{number}", layer.pool
    if layer.kernel:
        folded = weight.repeat(pool, axis=2).repeat(pool, axis=3)
        stride, padding = (layer.stride * pool,) * 2, (layer.kernel // 2 * pool,) * 2
        return Projection(name, number - 1, number, "conv2d", folded, stride, padding)
    if pool > 1:
        channels, rows, columns = before
        grid = weight.reshape(channels, rows // pool, columns // pool, layer.size)
        weight = np.ascontiguousarray(grid.repeat(pool, axis=1).repeat(pool, axis=2).reshape(-1, layer.size))
    return Projection(name, number - 1, number, "dense", weight)
