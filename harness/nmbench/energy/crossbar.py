r"""Cost of an inference on memristor crossbars: RRAM (NeuRRAM) and PCM (HERMES).

.. math::
    E_{layer} = positions \cdot tiles \cdot phases \cdot e_{MVM}(b_{in}, b_{out})
                \cdot (s_{fixed} + s_{rows} \cdot activity) \cdot T

    e_{MVM} = e_0 + e_1 b_{in} b_{out}, \qquad t_{MVM} = t_0 + t_1 b_{in} b_{out}

Inputs go in bit by bit and each phase is converted, so that both energy and time follow the product of the
two resolutions: a line through NeuRRAM's 1/3 and 8/10 bits meets its 4/6 and 6/8 within 8 % (Wan et al.
2022 Fig. 12, P076, P078, P079). ``activity`` is the share of the layer's multiply-accumulates whose input
is not zero. It scales the input pulses and the word lines, never the converters (shares after Fig. 12b,
P078). A partly filled tile costs a whole one.

``chip_dynamic`` is the macros', the boundary of the published figures. Beyond them, at ``chip_total``:
partial sums of several row tiles and neurons, both digital, spikes from core to core, and what else a
chip spends on a network, a multiple of its macros.
"""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.graded import operations
from nmbench.energy.mapping import Mapping


def price_crossbar(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences; tiles of a layer work side by side, its positions one after another."""
    links, routes = mapping.outline.links, mapping.routes
    e_mvm, t_mvm = product(mapping, card)
    tiles = np.array([route.tiles[0] * route.tiles[1] for route in routes])
    positions = np.array([route.positions for route in routes])
    full = tiles * positions * counts.steps * e_mvm
    outputs = np.array([mapping.outline.groups[link.target].size for link in links])
    additions = (outputs * np.array([route.tiles[0] - 1 for route in routes])).sum() * counts.steps

    fixed = _all(counts, float(full.sum()) * (1 - card.value("share_rows")))
    rows = (activity(counts) * full).sum(axis=1) * card.value("share_rows")
    beyond = 1 / card.value("chip_efficiency") - 1
    energy = {
        "converters": Term("chip_dynamic", fixed),
        "active_rows": Term("chip_dynamic", rows),
        "accumulation": Term("chip_total", _all(counts, float(additions) * card.value("e_add"))),
        "neuron_updates": Term("chip_total", counts.neuron_updates.sum(axis=(1, 2)) * card.value("e_update")),
        "routing": Term("chip_total", counts.spikes[:, :, 1:].sum(axis=(1, 2)) * card.value("e_spike")),
        "beyond_macros": Term("chip_total", beyond * (fixed + rows)),
    }
    latency = {
        "matrix_products": Term("chip_dynamic", _all(counts, float(positions.sum()) * counts.steps * t_mvm))
    }
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def product(mapping: Mapping, card: Card) -> tuple[float, float]:
    """Return joules and seconds of a full tile's product with all rows active, by the run's resolutions."""
    conditions = mapping.conditions
    bits = (conditions.input_bits or card.value("input_bits")) * (
        conditions.output_bits or card.value("output_bits")
    )
    phases = card.value("phases")
    return (
        phases * (card.value("e_mvm_base") + card.value("e_mvm_per_bits") * bits),
        phases * (card.value("t_mvm_base") + card.value("t_mvm_per_bits") * bits),
    )


def activity(counts: EventCounts) -> PerSample:
    """Return the share of each layer's multiply-accumulates that its inputs ask for, float64 ``[B, R]``."""
    share: PerSample = operations(counts).sum(axis=1) / (counts.dense_macs * counts.steps)
    return share


def _all(counts: EventCounts, value: float) -> PerSample:
    return np.full(len(counts), value)
