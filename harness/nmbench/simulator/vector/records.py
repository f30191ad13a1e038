"""What the kernel reads of a network: one record a population, a projection and a pass over its weights.

Addresses are absolute; places lie in a worker's memory (bytes from its start), which holds the state of
one sample. A *sixteen* is the content of one register: neurons are kept and advanced by sixteens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Record = Any
Records = npt.NDArray[Any]

UNLIMITED = 2**62
"""Of spikes that sums hold: those of float32."""

POPULATION = np.dtype(
    [
        ("steps", np.int64),  # where the addresses of its chunks' functions stand: first and end, equal
        ("steps_end", np.int64),  # where nothing comes by rows
        ("advanced", np.int64),  # 1: these functions advance it, too
        ("incoming", np.int64),  # its first projection: by blocks of the input, by blocks of others, by rows
        ("inner", np.int64),  # its first by blocks of others
        ("rows", np.int64),  # its first by rows
        ("spiking", np.int64),
        ("law", np.int64),  # which function advances it
        ("lagging", np.float32),  # 1: its membrane sees the last step's current
        ("subtract", np.float32),  # 1: a reset adds ``reset``, 0: it is ``reset``
        ("scale", np.float32),  # of whole sums: what 1 is worth
        ("unused", np.float32),
        ("sums", np.int64),  # places of what arrives, of currents, of membranes
        ("sum_bytes", np.int64),  # of sixteen sums: 64, or 32 where they are int16
        ("currents", np.int64),
        ("membranes", np.int64),
        ("first", np.int64),  # sixteen of the first neuron
        ("lines", np.int64),  # neurons lie in lines, lines hold pixels, pixels hold blocks of a sixteen
        ("line_pitch", np.int64),  # sixteens
        ("pixels", np.int64),
        ("pixel_pitch", np.int64),  # sixteens
        ("blocks", np.int64),
        ("sixteens", np.int64),  # all that a step goes through
        ("coefficients", np.int64),  # address; a line of ``COEFFICIENTS`` for each block
        ("lists", np.int64),  # place of the spike lists of the last steps
        ("list_bytes", np.int64),
        ("heads", np.int64),  # place of a `HEAD` for each of them
        ("mask", np.int64),  # number of lists, a power of two, less 1
    ],
    align=True,
)

COEFFICIENTS = (
    "bias",
    "mem_decay",
    "mem_gain",
    "leak",
    "floor",
    "threshold",
    "reset",
    "syn_decay",
    "syn_gain",
)
"""Order of a block's coefficients, 64 bytes each."""

HEAD = np.dtype(
    [
        ("ids", np.int64),  # address of a step's list of spikes
        ("count", np.int64),
        ("readable", np.int64),  # neurons that stand there, those of later steps too: to be fetched ahead
        ("repeats", np.int64),  # 1: a neuron may stand in it more than once
    ],
)
"""Where a population's spikes of a step are listed; all 0 before the sample begins."""

PROJECTION = np.dtype(
    [
        ("number", np.int64),  # its place in the network, 8 bytes each
        ("heads", np.int64),  # of its source
        ("mask", np.int64),
        ("delay", np.int64),
        ("table", np.int64),  # address: fan-out by neuron, or place, block and fan-out
        ("pitch", np.int64),  # bytes from row to row of weights, or from line to line of the map
        # by rows
        ("weights", np.int64),  # address
        ("at_once", np.int64),  # rows that an int16 sum holds, whichever they are
        ("distinct", np.int64),  # where no two are the same
        ("shift", np.int64),  # from this projection's unit to the target's
        # by blocks
        ("passes", np.int64),  # address of its calls of `add_blocks`: three int64 each, the code, the place
        ("passes_end", np.int64),  # of the sums and the address of the weights
        ("limit", np.int64),  # spikes in a step that the target's sums hold whatever they are
        ("most", np.int64),  # times that a neuron may spike in a step where there are more
    ],
)
