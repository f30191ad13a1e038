"""What the kernel reads of a network: one record a population, a projection and a pass over its weights.

Addresses are absolute; places lie in a worker's memory (bytes from its start), which holds the state of
one sample. A *sixteen* is the content of one register: neurons are kept and advanced by sixteens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Records = npt.NDArray[Any]

ROWS, BLOCKS = 0, 1
"""How a projection is delivered: whole rows, or blocks of a convolution."""

POPULATION = np.dtype(
    [
        ("incoming", np.int64),  # its first projection; those of the input come first
        ("inner", np.int64),  # its first projection that is none of the input
        ("incoming_end", np.int64),
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

PROJECTION = np.dtype(
    [
        ("number", np.int64),  # its place in the network, 8 bytes each
        ("source", np.int64),
        ("delay", np.int64),
        ("kind", np.int64),
        ("passes", np.int64),  # address of its calls of `add_rows` or `add_blocks`: three int64 each, the
        ("passes_end", np.int64),  # code, the place of the sums and the address of the weights
        ("pitch", np.int64),  # bytes from row to row of weights, or from line to line of the map
        ("table", np.int64),  # address: fan-out by neuron, or place, block and fan-out
        ("at_once", np.int64),  # rows that an int16 sum holds whatever they are
        ("shift", np.int64),  # from this projection's unit to the target's
        ("limit", np.int64),  # spikes in a step that the target's sums hold whatever they are
        ("most", np.int64),  # times that a neuron may spike in a step where there are more
    ],
    align=True,
)
