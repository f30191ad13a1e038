"""What the sparse engine's kernels read and write: two records of arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]
Shorts = npt.NDArray[np.uint16]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[Any]
"""float32, or float64 where arithmetic is in double precision."""

EXPONENTIAL, EXPONENTIAL_DOUBLE, DELTA = 0, 1, 2
"""Sorts of neuron: fixed-point current, the same in double precision, and membrane jumps (either width)."""

DECAY, GAIN, DRIVE, SYN_DECAY, THRESHOLD, RESET, HELD, WAITING, UNIT = range(9)
"""Columns of `Plan.constants`.

``HELD`` is far below any membrane: one below it is a counter of refractory steps, which begins at
``WAITING`` and goes up by 1 a step. ``UNIT`` is the weight of one unit of the integers.
"""

LAST = 1 << 30
"""Bit of a segment's head that says: the row ends with this segment."""


class Plan(NamedTuple):
    """What the kernel reads. P partitions, K populations, N neurons.

    ``rows`` int32: per row of (partition, source) its segments, one a delay: a head (number of synapses,
    LAST), then the synapses (target in the low 16 bits, weight in the high ones). ``start`` int64
    ``[P * N + 1]``: where rows begin.

    ``base`` int64 ``[P + 1]``: state positions of partitions. ``first``, ``size``, ``neuron`` int64
    ``[P, K]``: of each population in each partition its first state position in the partition, its number
    of neurons, and the first of them in the network.

    ``constants`` float ``[K, 9]``. Poisson drive: ``poisson`` bool ``[K]``, ``cut`` and ``alias`` uint16
    ``[K, 32]``, ``weight`` int32 ``[K]``, ``keys`` uint64 per chunk of 64 state positions; where spikes are
    ``rare`` (bool ``[K]``), ``mean`` float64 ``[K]`` a neuron and step, and ``rare_keys`` uint64 ``[P, K]``.
    """

    rows: Ints
    start: Longs
    base: Longs
    first: Longs
    size: Longs
    neuron: Longs
    constants: Floats
    poisson: Flags
    cut: Shorts
    alias: Shorts
    weight: Ints
    keys: Words
    rare: Flags
    mean: Doubles
    rare_keys: Words
    neurons: int
    kind: int
    min_delay: int


class State(NamedTuple):
    """What threads write; rows of different partitions lie 4 KiB apart, or caches would pass them around.

    ``v`` float ``[S]``; ``arriving`` int32 ``[1 or 2, S]``: sums of weights, in units; with fixed-point
    exponential synapses this is the current itself; in double precision excitatory and inhibitory sums
    are apart and ``current`` float64 ``[2, S]`` takes them up.

    ``spiked`` int32 ``[P, D, n]`` and ``listed`` int64 ``[P, D]``: spikes of the last D steps.
    ``active`` int64 ``[P, a]``: rows under way, as the place of their next segment; their number stands in
    column 0 of ``under_way``. ``progress``, column 0: steps that a partition has advanced.
    ``recorded`` int32 ``[P, r]`` and ``per_step`` int32 ``[P, steps]``: spikes of this call.
    ``arrived`` int32 ``[P, 1024]`` and ``fired`` uint8 ``[P, 4096]`` (``marks``: eight of them at a time) are
    for one block of neurons: its Poisson input and who fired.
    """

    v: Floats
    arriving: Ints
    current: Doubles
    spiked: Ints
    listed: Longs
    active: Longs
    under_way: Longs
    progress: Longs
    recorded: Ints
    per_step: Ints
    arrived: Ints
    fired: Bytes
    marks: Words
    noise_at: Doubles
    noise_drawn: Longs


class LazyState(NamedTuple):
    """What the lazy kernels have beside the lists of `State`; by state position ``[S]`` where not said.

    ``grown`` float64 is how far a membrane stands from its rest times the ``growth`` of its step, so that
    decay changes nothing in it; -inf while a neuron is refractory. ``resting`` int32 and ``until`` int64
    are queues, one a population of a partition, at its place: refractory neurons, and the step in which
    each is reached again; ``queue`` int64 ``[P, 2 K]``: where a queue begins, and how many it holds.

    ``risen`` int32 ``[P, n]`` lists the neurons that rose above threshold in the step under way; ``gain``
    and ``bar`` float64 ``[P, K]``: one unit of weight, and the threshold, times the growth of the step.

    Read only: ``population`` uint8, ``constants`` float64 ``[K, 3]``, ``growth`` float64
    ``[K, period + 1]``: inverse powers of the decay. ``alike``: populations differ in neither decay nor
    threshold. ``dense``: rows due at once from which on sums are taken before neurons are looked at.
    """

    grown: Doubles
    resting: Ints
    until: Longs
    queue: Longs
    risen: Ints
    gain: Doubles
    bar: Doubles
    population: Bytes
    constants: Doubles
    growth: Doubles
    unit: float
    alike: bool
    dense: float
