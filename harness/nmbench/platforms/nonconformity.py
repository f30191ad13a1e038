"""What checks of platforms share: answers from new sessions, comparison, and the fault that they raise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nmbench.energy.cost import Term
from nmbench.platforms.base import Answer, Platform, Session
from nmbench.platforms.example import example_network
from nmbench.spikes import SpikeBatch

ROUNDING = 1e-12
"""Sums of the same terms may differ by so much, relative, and no more."""


class Nonconformity(AssertionError):
    """A platform that breaks the contract, and how."""


def fresh_session(platform: Platform) -> Session | None:
    """Load the example network; None where the platform refuses it."""
    network = example_network()
    return None if platform.refuse(network) is not None else platform.load(network)


def fresh_answer(platform: Platform, batch: SpikeBatch) -> Answer | None:
    """Answer from a new session; None where the platform refuses the example network."""
    network = example_network()
    if platform.refuse(network) is not None:
        return None
    session = platform.load(network)
    try:
        return session.infer(batch)
    finally:
        session.close()


def same(one: Answer, other: Answer, message: str) -> None:
    """Require that two answers have the same outputs, counts and costs."""
    require(np.array_equal(one.outputs, other.outputs), f"{message} (outputs)")
    if one.counts is not None and other.counts is not None:
        for name in ("spikes", "neuron_updates", "synaptic_events"):
            same = np.array_equal(getattr(one.counts, name), getattr(other.counts, name))
            require(same, f"{message} (counts: {name})")
    if one.cost is not None and other.cost is not None:
        same_terms(one.cost.energy_j, other.cost.energy_j, f"{message} (energy")
        same_terms(one.cost.latency_s, other.cost.latency_s, f"{message} (latency")


def same_terms(one: Mapping[str, Term], other: Mapping[str, Term], message: str) -> None:
    """Require that two sums have the same terms and values."""
    require(one.keys() == other.keys(), f"{message}: other terms)")
    for name, term in one.items():
        require(np.array_equal(term.values, other[name].values), f"{message}: {name})")


def require(holds: bool, message: str) -> None:
    """Raise `Nonconformity` with the message unless the condition holds."""
    if not holds:
        raise Nonconformity(message)
