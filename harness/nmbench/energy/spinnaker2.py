r"""Cost of an inference on SpiNNaker 2.

A layer takes one of two paths: the event path (Hoeppner et al. 2019, 28 nm test chip, P053) or the MAC
array (Yan et al. 2021, V018), whichever is the cheaper for the sample (`choices` names it):

.. math::
    E = e_U U + \sum_{layers} \min(e_S S, e_{MAC} \cdot MACs \cdot T) + P_{static} n_{chips} t

The MAC array's figure is what the measured run spent beyond its neuron updates, transfers included; it is
no figure of the array alone. A graded layer, whose values are no events, has the MAC array alone. A chip
whose paths are fixed before the samples are seen spends at least as much as this. Time: as on SpiNNaker 1,
by the event path.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample, Term
from nmbench.energy.mapping import Mapping
from nmbench.energy.spinnaker import ticks

Path = Literal["event_path", "mac_array"]


def price_spinnaker2(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences; the terms ``event_path`` and ``mac_array`` show what each path took."""
    by_events, by_macs = paths(counts, card)
    chosen = by_events <= by_macs
    real_time, slow_down = ticks(counts, mapping, card)
    static_w = card.value("p_static") * mapping.chips
    updates = counts.neuron_updates.sum(axis=(1, 2)) * card.value("e_update")
    energy = {
        "neuron_updates": Term("chip_dynamic", updates),
        "event_path": Term("chip_dynamic", np.where(chosen, by_events, 0.0).sum(axis=1)),
        "mac_array": Term("chip_dynamic", np.where(chosen, 0.0, by_macs).sum(axis=1)),
        "static": Term("chip_total", static_w * (real_time + slow_down), static=True),
    }
    latency = {"real_time": Term("chip_dynamic", real_time), "slow_down": Term("chip_dynamic", slow_down)}
    return Cost(energy, latency, card.model_error.energy, card.model_error.latency)


def paths(counts: EventCounts, card: Card) -> tuple[PerSample, PerSample]:
    """Return the joules of each layer on the event path and on the MAC array, float64 ``[B, R]`` both.

    The event path of a graded layer costs infinitely much.
    """
    by_events = counts.synaptic_events.sum(axis=1) * card.value("e_synapse")
    if counts.effective_macs is not None:
        by_events = np.where(counts.effective_macs.sum(axis=1) > 0, np.inf, by_events)
    by_macs = np.broadcast_to(counts.dense_macs * counts.steps * card.value("e_mac"), by_events.shape)
    return by_events, by_macs


def choices(counts: EventCounts, mapping: Mapping, card: Card) -> dict[str, Path]:
    """Name the path that is the cheaper for each layer, by projection, over all the samples together."""
    by_events, by_macs = (way.sum(axis=0) for way in paths(counts, card))
    return {
        name: "event_path" if events <= macs else "mac_array"
        for name, events, macs in zip(counts.projections, by_events, by_macs, strict=True)
    }
