r"""Cost of an inference on memristor crossbars: RRAM (NeuRRAM) and PCM (HERMES).

.. math::
    E_{layer} = positions \cdot tiles \cdot e_{MVM} \cdot (s_{fixed} + s_{rows} \cdot activity) \cdot T

``activity`` is the share of the layer's multiply-accumulates whose input spiked. It scales the input pulses
and the word lines, never the converters (shares after Wan et al. 2022 Fig. 12b, P078). A partly filled
tile costs a whole one. Partial sums of several row tiles are added digitally; neurons are digital. What a
chip spends beyond its macros is a multiple of them (P082 against V078).
"""

from __future__ import annotations

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.mapping import Mapping


def price_crossbar(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences; tiles of a layer work side by side, its positions one after another."""
    links, routes = mapping.outline.links, mapping.routes
    tiles = np.array([route.tiles[0] * route.tiles[1] for route in routes])
    positions = np.array([route.positions for route in routes])
    mvms = tiles * positions * counts.steps
    full = mvms * card.value("e_mvm")
    activity = counts.synaptic_events.sum(axis=1) / (counts.dense_macs * counts.steps)
    outputs = np.array([mapping.outline.groups[link.target].size for link in links])
    additions = (outputs * np.array([route.tiles[0] - 1 for route in routes])).sum() * counts.steps
    spikes = counts.spikes[:, :, 1:].sum(axis=(1, 2))

    fixed = _all(counts, float(full.sum()) * (1 - card.value("share_rows")))
    rows = (activity * full).sum(axis=1) * card.value("share_rows")
    digital = _all(counts, float(additions) * card.value("e_add"))
    updates = counts.neuron_updates.sum(axis=(1, 2)) * card.value("e_update")
    routing = spikes * card.value("e_spike")
    beyond = 1 / card.value("chip_efficiency") - 1
    energy = {
        "converters": Term("chip_dynamic", fixed),
        "active_rows": Term("chip_dynamic", rows),
        "accumulation": Term("chip_dynamic", digital),
        "neuron_updates": Term("chip_dynamic", updates),
        "routing": Term("chip_dynamic", routing),
        "beyond_macros": Term("chip_total", beyond * (fixed + rows)),
    }
    products = float(positions.sum()) * counts.steps * card.value("t_mvm")
    latency = {"matrix_products": Term("chip_dynamic", _all(counts, products))}
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def _all(counts: EventCounts, value: float) -> PerSample:
    return np.full(len(counts), value)
