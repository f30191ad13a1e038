r"""Cost of an inference where each layer may run either way: as a dense kernel, or by events.

The steps and updates of `events`, and for the layers that leave a population s the cheapest way to deliver
its R_s spikes: all by dense kernels, or the rows looked up once and each layer by what is faster for it.

.. math::
    t = t_{call} + n\,t_{sample} + T\,n_{populations}\,t_{population} + n\,U\,t_{update}
        + \sum_s \min\Big(\sum_l D_l,\; n\,R_s\,t_{row} + \sum_l \min(D_l, n\,S_l\,t_{event}) \Big)

    D_l = T \max(2 n\,MACs_l / F,\; bytes_l / B)

``dense_kernels`` and ``event_kernels`` of the breakdown say which way it was. Both draw the same power, and
launches are the same: what is faster is cheaper. A matrix that the device's memory does not hold is left to
events. n is `Conditions.batch`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.counts import EventCounts
from nmbench.energy.card import Card
from nmbench.energy.cost import Cost, PerSample
from nmbench.energy.dense import FLOP_PER_MAC
from nmbench.energy.events import event_s, step_s, update_s
from nmbench.energy.graded import operations
from nmbench.energy.mapping import Mapping
from nmbench.energy.phases import Phase, cost_of


def price_either(counts: EventCounts, mapping: Mapping, card: Card) -> Cost:
    """Price inferences in batches of `Conditions.batch` like ones."""
    n = mapping.conditions.batch
    dense_s, events_s = deliveries(counts, mapping, card)
    alike = np.ones(len(counts))
    phases = {
        "call": Phase(alike * card.value("t_call"), "p_launch"),
        "samples": Phase(alike * n * card.value("t_sample"), "p_load"),
        "steps": Phase(alike * counts.steps * step_s(mapping, card), "p_launch"),
        "updates": Phase(n * update_s(counts, mapping, card), "p_launch"),
        "dense_kernels": Phase(dense_s, "p_load"),
        "event_kernels": Phase(events_s, "p_load"),
    }
    return cost_of(phases, card, n)


def deliveries(counts: EventCounts, mapping: Mapping, card: Card) -> tuple[PerSample, PerSample]:
    """Return the seconds of a batch in dense kernels and in those of events, float64 ``[B]`` both."""
    dense_s, events_s, _ = _ways(counts, mapping, card)
    return dense_s, events_s


def kernels(counts: EventCounts, mapping: Mapping, card: Card) -> dict[str, str]:
    """Name the way of each layer, by projection: the one that most samples take."""
    _, _, by_events = _ways(counts, mapping, card)
    share = by_events.mean(axis=0)
    names = (link.name for link in mapping.outline.links)
    return {n: "event_kernels" if s > 0.5 else "dense_kernels" for n, s in zip(names, share, strict=True)}


def _ways(
    counts: EventCounts, mapping: Mapping, card: Card
) -> tuple[PerSample, PerSample, npt.NDArray[np.bool_]]:
    """Return a batch's seconds in dense kernels and by events ``[B]``, and the latter's layers ``[B, R]``."""
    links, n = mapping.outline.links, mapping.conditions.batch
    by_events = n * operations(counts).sum(axis=1) * event_s(links, mapping, card)
    by_kernels = np.broadcast_to(_kernels_s(counts, mapping, card), by_events.shape)
    faster = by_events < by_kernels
    dense_s, events_s = np.zeros(len(counts)), np.zeros(len(counts))
    chosen = np.zeros(faster.shape, np.bool_)
    for source in sorted({link.source for link in links}):
        own = [i for i, link in enumerate(links) if link.source == source]
        row_s = n * counts.spikes[:, :, source].sum(axis=1) * card.value("t_row")
        all_s = by_kernels[:, own].sum(axis=1)
        kept_s = np.where(faster, 0.0, by_kernels)[:, own].sum(axis=1)
        mixed_s = row_s + np.where(faster, by_events, 0.0)[:, own].sum(axis=1)
        mixed = kept_s + mixed_s < all_s
        chosen[:, own] = faster[:, own] & mixed[:, None]
        dense_s += np.where(mixed, kept_s, all_s)
        events_s += np.where(mixed, mixed_s, 0.0)
    return dense_s, events_s, chosen


def _kernels_s(counts: EventCounts, mapping: Mapping, card: Card) -> PerSample:
    """Return the seconds of each layer as a dense kernel in all steps, float64 ``[R]``; inf: no room."""
    sizes = mapping.outline
    weights = np.array([sizes.stored_weights(link) for link in sizes.links], dtype=np.float64)
    moved = weights * card.value("synapse_bits") / 8
    flop = FLOP_PER_MAC * mapping.conditions.batch * counts.dense_macs
    seconds = np.maximum(flop / card.value("flop_rate"), moved / card.value("memory_bandwidth"))
    fits = moved <= card.value("synapse_bytes_per_chip")
    found: PerSample = np.where(fits, counts.steps * seconds, np.inf)
    return found
