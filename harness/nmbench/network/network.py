"""A network as simulators and models read it: populations, projections and their arrays.

Lowered from a NIR graph by one dialect (`nmbench.network.lower`); nothing in it depends on a platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from nmbench.network.dialect import Dialect

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Dynamics:
    r"""Coefficients of one population's step, float32 ``[n]`` each, in the dialect's step.

    .. math::
        i \leftarrow \alpha i + g_i (\textstyle\sum w s + bias), \qquad
        v \leftarrow \beta v + g_v i + leak, \qquad s = v > \theta

    A neuron without a synapse state has ``syn_decay = 0, syn_gain = 1``; an integrator without leak has
    ``mem_decay = 1``; a readout that never spikes has ``spiking = False`` and its ``v`` is the output.
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


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one population to another.

    Attributes
    ----------
    source, target
        Indices into the network's populations.
    kind
        ``dense``: ``weight[pre, post]``, float32; ``conv2d``: ``weight[out, in, kh, kw]`` as in NIR
        (cross-correlation), shared by all positions.
    stride, padding
        Of a convolution: rows and columns; ``padding`` is symmetric. ``(1, 1)`` and ``(0, 0)`` for dense.
    delay
        Steps from a spike to its delivery: 0 within the step (feed-forward), at least 1 within a cycle.
    """

    name: str
    source: int
    target: int
    kind: Literal["dense", "conv2d"]
    weight: Floats
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    delay: int = 0


@dataclass(frozen=True, eq=False)
class Network:
    """Populations in an order in which every projection with delay 0 goes forward; the input is the first.

    Attributes
    ----------
    output
        Index of the population whose membrane (``LI``) or spikes are the answer.
    sha256
        Hash of the file or graph that it was lowered from.
    """

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    output: int
    dialect: Dialect
    sha256: str

    @property
    def neurons(self) -> int:
        """Count the neurons, the input not among them."""
        return sum(p.size for p in self.populations[1:])

    @property
    def max_delay(self) -> int:
        """Longest delay of any projection, steps."""
        return max((p.delay for p in self.projections), default=0)
