"""The nodes between two populations, folded into one projection's arrays, or one for each delay."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nmbench.errors import InputError
from nmbench.network.compose import compose
from nmbench.network.network import Floats, Shape
from nmbench.network.operators import Gain, Kernel, Matrix
from nmbench.network.primitives import Doubles
from nmbench.network.stages import MAX_DELAY_STEPS, Stage, fault

MAX_ONE_TO_ONE = 4096
"""Largest population that is wired one to one as a dense diagonal; a larger one is a 1x1 convolution."""

MAX_DELAYS = 256
"""Most different delays of one path: each is a projection of its own."""

BiasKey = tuple[tuple[str, int], ...]
"""Nodes from the one that adds a bias to the target, each with the delay chosen in it."""


@dataclass(frozen=True, eq=False)
class Bias:
    """What a node adds to the target's input, ``[n]``, from a step on."""

    since: int
    values: Doubles


@dataclass(frozen=True, eq=False)
class Chain:
    """One projection: an operator, the delay before it acts, and what its nodes add."""

    shape: Shape
    operator: Matrix | Kernel
    delay: int
    suffix: str
    biases: dict[BiasKey, Bias]

    def weights(self, name: str, dtype: np.dtype[Any]) -> Floats:
        """Return the weights in the network's dtype."""
        with np.errstate(over="ignore"):  # looked for below
            weight: Floats = np.ascontiguousarray(self.operator.weight, dtype=dtype)
        if not np.isfinite(weight).all():
            raise fault(name, f"weights times scales are not finite in {dtype}")
        return weight


def fold(name: str, stages: list[Stage], shape: Shape) -> list[Chain]:
    """Fold the stages behind a population of this shape.

    A Delay that differs by element splits the path into one chain a delay, each with the elements of that
    delay alone; ``name`` stands in faults of the path as a whole.

    Raises
    ------
    InputError
        Too many delays, or layers that cannot be folded; see `nmbench.network.compose`.
    """
    choices = [[None] if s.delay is None else np.unique(s.delay).tolist() for s in stages]
    number = math.prod(len(c) for c in choices)
    if number > MAX_DELAYS:
        raise InputError(name, [f"{name}: {number} different delays, at most {MAX_DELAYS} are supported"])
    uneven = [len(c) > 1 for c in choices]
    chains = []
    for chosen in itertools.product(*choices):
        suffix = "".join(f"@{delay}" for delay, differs in zip(chosen, uneven, strict=True) if differs)
        chains.append(_chain(name, [*_choose(stages, chosen)], shape, suffix))
    return chains


def demand(stages: list[Stage], size: int, itemsize: int) -> int:
    """Predict the bytes of a path's weights from shapes alone: composed, in the network, and laid out.

    Exact for one layer of synapses; for several the dense matrix that they may come to, unless all are
    convolutions.
    """
    synapses = [s.operator for s in stages if isinstance(s.operator, Matrix | Kernel)]
    if not synapses:
        count = size**2 if size <= MAX_ONE_TO_ONE else size
    elif len(synapses) == 1 or all(isinstance(operator, Kernel) for operator in synapses):
        count = sum(operator.weight.size for operator in synapses)
    else:
        count = size * synapses[-1].ends[1]
    delays = math.prod(len(np.unique(s.delay)) for s in stages if s.delay is not None)
    return count * delays * (8 + 2 * itemsize)


def _choose(stages: list[Stage], chosen: tuple[int | None, ...]) -> Iterator[Stage]:
    """Give every Delay one delay, and let only the elements of that delay through."""
    for stage, delay in zip(stages, chosen, strict=True):
        if stage.delay is None or len(stage.delay) == 1:
            yield stage
        else:
            mask = Gain((stage.delay == delay).astype(np.float64))
            yield replace(stage, operator=mask, delay=np.array([delay]))


def _chain(name: str, stages: list[Stage], shape: Shape, suffix: str) -> Chain:
    delays = [0 if s.delay is None else int(s.delay[0]) for s in stages]
    if sum(delays) > MAX_DELAY_STEPS:
        raise fault(name, f"delays of {sum(delays)} steps, at most {MAX_DELAY_STEPS}")
    biases: dict[BiasKey, Bias] = {}
    for position, stage in enumerate(stages):
        if stage.bias is None:
            continue
        values = stage.bias[None]
        for later in stages[position + 1 :]:
            if later.operator is not None:
                values = later.operator.push(values)
        key = tuple((s.name, d) for s, d in zip(stages[position:], delays[position:], strict=True))
        biases[key] = Bias(sum(delays[position:]), values[0])
    last = stages[-1].shape if stages else shape
    operator = compose(name, [s.operator for s in stages if s.operator is not None])
    if not isinstance(operator, Matrix | Kernel):
        operator = _one_to_one(np.ones(math.prod(shape)) if operator is None else operator.values)
    return Chain(last, operator, sum(delays), suffix, biases)


def _one_to_one(gains: Doubles) -> Matrix | Kernel:
    """Wire n elements to n: a diagonal, or n channels of one pixel in n groups."""
    size = len(gains)
    if size <= MAX_ONE_TO_ONE:
        return Matrix(np.diag(gains), size**2)
    map_ = (size, 1, 1)
    return Kernel(gains.reshape(size, 1, 1, 1), map_, map_, (1, 1), (0, 0), (1, 1), size, size)
