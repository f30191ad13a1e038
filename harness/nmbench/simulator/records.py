"""What the plain kernels read and write: a network's layout, and one worker's memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nmbench.network.network import Floats

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


class Plan(NamedTuple):
    """What the kernel reads. P populations, R projections, S state positions, N table entries.

    Per population, int64 ``[P]``: ``start`` and ``padded`` (state positions), ``size`` (neurons),
    ``spiking``, ``lagging`` (its membrane sees the last step's current), ``depth`` (steps of spikes kept),
    ``history`` (first place of its spike lists).

    Per projection, int64 ``[R]``: ``source``, ``delay``, ``kind``, ``table`` (its first entry in the
    tables), ``lines``, ``length`` and ``pitch`` (floats) of what a spike adds, ``graded`` (it carries
    membranes, not spikes); ``incoming`` lists the projections of population p at
    ``incoming_start[p]:incoming_start[p + 1]``. ``handing`` and ``summing`` ``[P]``: populations from which,
    and to which, a graded one leads.

    Per source neuron of a projection ``[N]``: ``synapses`` (fan-out), ``row`` (first weight), ``base``
    (first state position that it adds to).

    ``weights``: rows aligned to 64 bytes; ``indexed`` and ``targets`` the sparse synapses, of which
    ``entries`` belong to a source neuron ``[N]``.
    Per state position ``[S]``: the coefficients of `Dynamics`, ``floor``, ``drop`` (subtracted at a
    reset) and ``neuron`` (C-order within its population, -1 in the halo and the padding); ``threshold``
    is the largest potential that does not spike, ``level`` the threshold itself. Before step ``onset[k]``
    ``early_bias[k]`` holds in place of ``bias``.
    ``readout`` int64 ``[C]``: state positions of the output's neurons.

    ``general`` ``[P]``: populations whose step needs the rarer switches ``reset_delay``, ``rereset``,
    ``multispike`` (with ``at_threshold``) or that have nothing to reset (not ``resets``).
    """

    start: Longs
    padded: Longs
    size: Longs
    spiking: Longs
    lagging: Longs
    depth: Longs
    history: Longs
    source: Longs
    delay: Longs
    kind: Longs
    table: Longs
    lines: Longs
    length: Longs
    pitch: Longs
    incoming: Longs
    incoming_start: Longs
    synapses: Longs
    row: Longs
    base: Longs
    weights: Floats
    indexed: Floats
    targets: npt.NDArray[np.int32]
    syn_decay: Floats
    syn_gain: Floats
    mem_decay: Floats
    mem_gain: Floats
    leak: Floats
    bias: Floats
    threshold: Floats
    v_reset: Floats
    drop: Floats
    floor: Floats
    neuron: npt.NDArray[np.int32]
    readout: Longs
    output: int
    output_delay: int
    subtract: int
    onset: Longs
    early_bias: Floats
    entries: Longs
    general: Longs
    resets: Longs
    level: Floats
    reset_delay: int
    rereset: int
    multispike: int
    at_threshold: int
    graded: Longs
    handing: Longs
    summing: Longs


class State(NamedTuple):
    """What one worker writes: state by position ``[S]``, and the spike lists of the last steps.

    ``arriving`` is the sum of this step's weights; ``words`` is ``above`` seen as 64-bit words; ``times``
    says how often each neuron listed in ``spiked`` did, ``pending`` by position ``[S]`` how many resets
    wait for the next step. Where projections are graded: ``values`` are the membranes of the last steps,
    in the place of spike lists, ``products`` by position ``[S]`` what they bring, float64; between steps 0.
    """

    i: Floats
    v: Floats
    arriving: Floats
    above: Bytes
    words: Words
    spiked: Ints
    listed: Longs
    times: Ints
    pending: Floats
    values: Floats
    products: Floats
