"""A network as simulators and models read it: populations, projections and their arrays.

Lowered from a NIR graph by one dialect (`nmbench.network.lower`); nothing in it depends on a platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nmbench.network.dialect import Dialect

Floats = npt.NDArray[np.floating[Any]]
"""float32, or float64 under a dialect of that dtype."""

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Dynamics:
    r"""Coefficients of one population's step, ``[n]`` each in the dialect's dtype, for the dialect's step.

    .. math::
        i \leftarrow \alpha i + g_i (\textstyle\sum w s + bias), \qquad
        v \leftarrow \beta v + g_v i + leak, \qquad s = v > \theta

    A neuron without a synapse state has ``syn_decay = 0, syn_gain = 1``; an integrator without leak has
    ``mem_decay = 1``; one that never spikes (I, LI, CubaLI) has ``spiking = False`` and hands on its ``v``.

    Attributes
    ----------
    resets
        False for a Threshold, which keeps no state: ``mem_decay = 0``, and neither reset nor floor.
    early
        ``(until, bias)`` in ascending order: before step ``until`` this bias holds in place of ``bias``
        (a bias behind a Delay, or one that closes a cycle and does not act at first).
    """

    syn_decay: Floats
    syn_gain: Floats
    mem_decay: Floats
    mem_gain: Floats
    leak: Floats
    bias: Floats
    threshold: Floats
    v_reset: Floats
    spiking: bool
    resets: bool = True
    early: tuple[tuple[int, Floats], ...] = ()


@dataclass(frozen=True, eq=False)
class Population:
    """A group of like neurons; ``dynamics`` is None for the input, whose spikes come from the samples.

    Attributes
    ----------
    model
        NIR primitive it was lowered from (``CubaLIF``, ``LIF``, ``IF``, ``LI``, ...; ``Input``).
    shape
        ``(C, H, W)`` or ``(N,)``; flat indices are C-order.
    """

    name: str
    model: str
    shape: tuple[int, ...]
    dynamics: Dynamics | None

    @property
    def size(self) -> int:
        """Count the neurons."""
        return int(np.prod(self.shape))

    @property
    def graded(self) -> bool:
        """Tell whether it hands on its membrane in every step, not spikes."""
        return self.dynamics is not None and not self.dynamics.spiking


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one population to another.

    Attributes
    ----------
    source, target
        Indices into the network's populations.
    kind
        ``dense``: ``weight[pre, post]``; ``conv2d``: ``weight[out, in / groups, kh, kw]`` as in NIR
        (cross-correlation), shared by all positions. A pool is a convolution with as many groups as
        channels, a Conv1d one of a single row.
    stride, padding, dilation
        Of a convolution: rows and columns; ``padding`` is what stands before the first row and column,
        behind the last there is as much as the target asks for. ``(1, 1)``, ``(0, 0)``, ``(1, 1)`` for
        dense.
    delay
        Steps from a spike, or a value, to its delivery: 0 within the step (feed-forward), at least 1
        within a cycle.
    groups
        Of a convolution: into so many parts are both channels cut, part k reaches part k alone.
    source_map, target_map
        ``(C, H, W)`` that a convolution reads and writes, where that is not the population's shape.
    macs
        Multiply-accumulates a step of the graph's own layers, where several were folded into this one.
    graded
        It carries the source's membrane as each step leaves it, not spikes: as every projection of a
        population that does not spike.
    """

    name: str
    source: int
    target: int
    kind: Literal["dense", "conv2d"]
    weight: Floats
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    delay: int = 0
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    source_map: tuple[int, int, int] | None = None
    target_map: tuple[int, int, int] | None = None
    macs: int | None = None
    graded: bool = False


@dataclass(frozen=True, eq=False)
class Network:
    """Populations in an order in which every projection with delay 0 goes forward; the input is the first.

    Attributes
    ----------
    output
        Index of the population whose membrane (``LI``) or spikes are the answer.
    sha256
        Hash of the file or graph that it was lowered from.

    Raises
    ------
    ValueError
        Projections that are graded though their source spikes, or the other way round.
    """

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    output: int
    dialect: Dialect
    sha256: str

    def __post_init__(self) -> None:
        """Check what projections carry."""
        wrong = [q.name for q in self.projections if q.graded != self.populations[q.source].graded]
        if wrong:
            raise ValueError(f"projections {wrong}: graded must say whether the source hands on its membrane")

    @property
    def graded(self) -> tuple[str, ...]:
        """Name the projections that carry values, not spikes."""
        return tuple(q.name for q in self.projections if q.graded)

    @property
    def neurons(self) -> int:
        """Count the neurons, the input not among them."""
        return sum(p.size for p in self.populations[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of states and weights."""
        return np.dtype(self.dialect.dtype)

    def maps(self, projection: Projection) -> tuple[Shape, Shape]:
        """Return the shapes that a projection reads and writes; of a convolution ``(C, H, W)``."""
        source, target = self.populations[projection.source], self.populations[projection.target]
        return projection.source_map or source.shape, projection.target_map or target.shape

    @property
    def max_delay(self) -> int:
        """Longest delay of any projection, steps."""
        return max((p.delay for p in self.projections), default=0)
