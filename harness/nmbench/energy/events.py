r"""Cost of a network on an event-driven simulator: GeNN or NEST GPU on a GPU, GeNN or NEST on CPUs.

.. math::
    t = T\,(t_{step} + n_{populations}\,t_{population} + \lceil\log_2 N\rceil\,t_{exchange})
        + \frac{1}{N} (U\,t_{update} + U_{fed}\,t_{input}
        + R\,t_{row} + S\,(t_{event} + t_{miss}) + S_{full}\,t_{stream})

    t_{miss} = \max(0, 1 - cache / synapses)\,bytes_{miss} / B

N machines (`Mapping.boards`), T steps, populations with the input among them where it sends spikes; U
neuron updates, those of neurons that synapses enter once more; R spikes whose rows are looked up, one after
another, the projections that each feeds side by side; S synaptic events. A pair of populations with every
synapse is no list: its rows stream, as GeNN keeps them, where the card has a ``t_stream``. Microbenchmarks
replay few rows, which stay in the cache; a large network's rows and targets lie in memory, and an event
moves whole lines there and back. NEST's ``t_event`` was fitted on such a network and holds that (no
``miss_bytes``).

Sources: Ostrau et al. 2022 (RTX 2070, Ryzen 2600X), the microcircuit's published runs (V021, V024, V030,
V031). Power: ``p_launch`` in steps and updates, ``p_load`` in rows and events. Plasticity is not priced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample
from nmbench.energy.graded import operations
from nmbench.energy.mapping import Mapping
from nmbench.energy.outline import Link
from nmbench.energy.phases import Phase, Phases, cost_of, optional


def price_events(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price runs; `Conditions.batch` copies of the network run as one, on `Mapping.boards` machines."""
    return cost_of(event_phases(counts, mapping, card), card, mapping.conditions.batch, machines_of(mapping))


def machines_of(mapping: Mapping) -> int:
    """Return the machines that share the network."""
    return max(mapping.boards, 1)


def event_phases(counts: EventCounts, mapping: Mapping, card: Card) -> Phases:
    """Return the phases of a run: ``steps``, ``updates``, ``event_kernels``."""
    copies = mapping.conditions.batch / machines_of(mapping)
    return {
        "steps": Phase(np.full(len(counts), counts.steps * step_s(mapping, card)), "p_launch"),
        "updates": Phase(copies * update_s(counts, mapping, card), "p_launch"),
        "event_kernels": Phase(copies * _delivery_s(counts, mapping, card), "p_load"),
    }


def step_s(mapping: Mapping, card: Card) -> float:
    """Return the seconds that a step takes in which nothing happens and no neuron is updated."""
    sizes = mapping.outline
    populations = len(sizes.groups) - 1 + any(link.source == 0 for link in sizes.links)
    doublings = math.ceil(math.log2(machines_of(mapping)))
    own = optional(card, "t_step") + populations * optional(card, "t_population")
    return own + doublings * optional(card, "t_exchange")


def update_s(counts: EventCounts, mapping: Mapping, card: Card) -> PerSample:
    """Return the seconds that neuron updates take on one machine, float64 ``[B]``."""
    updates = counts.neuron_updates.sum(axis=1)
    fed = sorted({link.target for link in mapping.outline.links})
    own = updates.sum(axis=1) * card.value("t_update")
    seconds: PerSample = own + updates[:, fed].sum(axis=1) * optional(card, "t_input")
    return seconds


def event_s(listed: Sequence[Link], mapping: Mapping, card: Card) -> float:
    """Return the seconds of one event on one machine where these links are lists of synapses."""
    if "miss_bytes" not in card.constants:
        return card.value("t_event")
    synapses = sum(mapping.outline.listed_weights(link) for link in listed)
    stored = synapses * card.value("synapse_bits") / 8
    missed = max(0.0, 1 - card.value("cache_bytes") / stored) if stored else 0.0
    return card.value("t_event") + missed * card.value("miss_bytes") / card.value("memory_bandwidth")


def _delivery_s(counts: EventCounts, mapping: Mapping, card: Card) -> PerSample:
    """Return the seconds that rows and events take on one machine, float64 ``[B]``."""
    links, density = mapping.outline.links, mapping.outline.density
    streamed = [
        "t_stream" in card.constants and link.kind == "dense" and density(link) == 1 for link in links
    ]
    listed = [i for i, at in enumerate(streamed) if not at]
    events = operations(counts).sum(axis=1)
    senders = sorted({links[i].source for i in listed})
    row_s = counts.spikes[:, :, senders].sum(axis=(1, 2)) * optional(card, "t_row")
    listed_s = events[:, listed].sum(axis=1) * event_s([links[i] for i in listed], mapping, card)
    seconds: PerSample = row_s + listed_s + events[:, streamed].sum(axis=1) * optional(card, "t_stream")
    return seconds
