"""The conformance suite of platforms, for ours and for yours.

Each check takes a platform and raises `Nonconformity`. In a plug-in's own tests::

    from nmbench.platforms.conformance import CHECKS

    @pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
    def test_conformance(check):
        check(MyPlatform())
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nmbench.energy.card import Card
from nmbench.energy.cost import Term
from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Network, Population, Projection
from nmbench.platforms.base import Answer, Platform
from nmbench.quantity import BOUNDARIES, NESTED
from nmbench.spikes import SpikeBatch

DT_S = 1e-3
ROUNDING = 1e-12
"""Sums of the same terms may differ by so much, relative, and no more."""

SAMPLES, STEPS, INPUTS, HIDDEN, CLASSES = 6, 9, 8, 7, 3


class Nonconformity(AssertionError):
    """A platform that breaks the contract, and how."""


def example_network() -> Network:
    """Return a feed-forward network with excitatory weights alone: more spikes in, not fewer out."""
    rng = np.random.default_rng(1)

    def weight(pre: int, post: int) -> npt.NDArray[np.float32]:
        return rng.uniform(0.1, 0.6, (pre, post)).astype(np.float32)

    return Network(
        populations=(
            Population("in", "Input", (INPUTS,), None),
            Population("hidden", "CubaLIF", (HIDDEN,), _dynamics(HIDDEN, spiking=True)),
            Population("out", "LI", (CLASSES,), _dynamics(CLASSES, spiking=False)),
        ),
        projections=(
            Projection("in-hidden", 0, 1, "dense", weight(INPUTS, HIDDEN)),
            Projection("hidden-out", 1, 2, "dense", weight(HIDDEN, CLASSES)),
        ),
        output=2,
        dialect=Dialect(dt=DT_S),
        sha256="0" * 64,
    )


def example_batch(rate: float = 0.2) -> SpikeBatch:
    """Return samples for the example network; a higher rate keeps all the spikes of a lower one."""
    present = np.random.default_rng(2).random((SAMPLES * STEPS, INPUTS)) < rate
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
    return SpikeBatch(DT_S, STEPS, (INPUTS,), offsets, np.nonzero(present)[1].astype(np.int32))


def check_info(platform: Platform) -> None:
    """Check the name, the version, the words, clock and boundary, and that the card hashes its content."""
    info = platform.info
    _require(
        bool(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", info.name)), f"name {info.name!r}: not lower-case words"
    )
    _require(info.version >= 1, f"version {info.version}: less than 1")
    _require(bool(info.family and info.summary), "family or summary is empty")
    _require(info.clock in ("wall", "model"), f"clock {info.clock!r}: neither wall nor model")
    _require(info.boundary in BOUNDARIES, f"boundary {info.boundary!r}: not one of {BOUNDARIES}")
    _require(platform.info == info, "info changes from call to call")
    if info.clock == "model":
        _require(info.boundary in NESTED, f"boundary {info.boundary!r} needs the wall clock")
        _require(info.card is not None, "a modelled platform has no card")
    if info.card is not None:
        _require(bool(re.fullmatch(r"[0-9a-f]{64}", info.card.sha256)), "the card's sha256 is no SHA-256")
        again = Card.model_validate(info.card.model_dump())
        _require(again.sha256 == info.card.sha256, "the card's sha256 does not follow from its content")


def check_refusal(platform: Platform) -> None:
    """Check that a network is taken (None) or refused with a reason, each time alike."""
    reason = platform.refuse(example_network())
    _require(
        reason is None or (isinstance(reason, str) and bool(reason.strip())),
        "refuse: neither None nor a reason",
    )
    _require(platform.refuse(example_network()) == reason, "refuse changes its mind")


def check_answers(platform: Platform) -> None:
    """Check that outputs are float32 ``[B, T, classes]`` and finite, and counts, if any, of this batch."""
    answer = _answer(platform, example_batch())
    if answer is None:
        return
    expected = (SAMPLES, STEPS, CLASSES)
    _require(
        answer.outputs.shape == expected, f"outputs have shape {answer.outputs.shape}, expected {expected}"
    )
    _require(answer.outputs.dtype == np.float32, f"outputs are {answer.outputs.dtype}, expected float32")
    _require(bool(np.isfinite(answer.outputs).all()), "outputs are not finite")
    if answer.counts is not None:
        _require(answer.counts.spikes.shape[:2] == expected[:2], "counts are of another batch")


def check_deterministic(platform: Platform) -> None:
    """Check that a batch gets the same answer again, from the same session and from a new one."""
    batch = example_batch()
    network = example_network()
    if platform.refuse(network) is not None:
        return
    session = platform.load(network)
    first, second = session.infer(batch), session.infer(batch)
    session.close()
    _same(first, second, "asked again, the session answers otherwise")
    third = _answer(platform, batch)
    if third is not None:
        _same(first, third, "a new session answers otherwise")


def check_from_rest(platform: Platform) -> None:
    """Check that an answer depends neither on the sample's place in the batch nor on the batch's size."""
    batch = example_batch()
    whole = _answer(platform, batch)
    if whole is None:
        return
    order = np.random.default_rng(3).permutation(SAMPLES)
    shuffled = _answer(platform, batch.take(order))
    alone = _answer(platform, batch.take([SAMPLES - 1]))
    if shuffled is not None:
        _same(_pick(whole, order), shuffled, "the order of the batch changes an answer")
    if alone is not None:
        _same(_pick(whole, np.array([SAMPLES - 1])), alone, "the size of the batch changes an answer")


def check_cost(platform: Platform) -> None:
    """Check that terms are named, finite, not negative, a value a sample; that boundaries nest."""
    answer = _answer(platform, example_batch())
    if answer is None:
        return
    if answer.cost is None:
        _require(platform.info.clock == "wall", "a modelled platform states no cost")
        return
    cost = answer.cost
    for name, term in {**cost.energy_j, **cost.latency_s}.items():
        _check_term(name, term)
    for what, terms, factors, total in (
        ("energy", cost.energy_j, cost.energy_factor, cost.energy),
        ("latency", cost.latency_s, cost.latency_factor, cost.latency),
    ):
        _require(bool(factors), f"{what}: no boundary is stated")
        unstated = {term.boundary for term in terms.values()} - factors.keys()
        _require(not unstated, f"{what}: terms at {sorted(unstated)}, which is not stated")
        _require(all(f >= 1 for f in factors.values()), f"{what}: an interval's factor is less than 1")
        totals = [total(boundary) for boundary in NESTED if boundary in factors]
        _require(all((t > 0).all() for t in totals), f"{what}: nothing is spent inside a stated boundary")
        for inner, outer in pairwise(totals):
            _require(bool((outer >= inner).all()), f"{what}: falls from one boundary to the next one out")


def check_growth(platform: Platform) -> None:
    """Check that energy and time do not fall where spikes are added."""
    few, many = _answer(platform, example_batch(0.1)), _answer(platform, example_batch(0.5))
    if few is None or many is None or few.cost is None or many.cost is None:
        return
    slack = 1 - ROUNDING
    for boundary in few.cost.energy_factor:
        grows = (many.cost.energy(boundary) >= slack * few.cost.energy(boundary)).all()
        _require(bool(grows), f"energy at {boundary} falls with more spikes")
    for boundary in few.cost.latency_factor:
        grows = (many.cost.latency(boundary) >= slack * few.cost.latency(boundary)).all()
        _require(bool(grows), f"latency at {boundary} falls with more spikes")


CHECKS: Mapping[str, Callable[[Platform], None]] = {
    "info": check_info,
    "refusal": check_refusal,
    "answers": check_answers,
    "deterministic": check_deterministic,
    "from_rest": check_from_rest,
    "cost": check_cost,
    "growth": check_growth,
}
"""Every check by name; what does not apply to a platform (a cost that it does not state) passes."""


def _answer(platform: Platform, batch: SpikeBatch) -> Answer | None:
    """Answer from a new session; None where the platform refuses the example network."""
    network = example_network()
    if platform.refuse(network) is not None:
        return None
    session = platform.load(network)
    try:
        return session.infer(batch)
    finally:
        session.close()


def _pick(answer: Answer, samples: npt.NDArray[np.int64]) -> Answer:
    cost = answer.cost
    if cost is not None:
        cost = replace(
            cost,
            energy_j={n: replace(t, values=t.values[samples]) for n, t in cost.energy_j.items()},
            latency_s={n: replace(t, values=t.values[samples]) for n, t in cost.latency_s.items()},
        )
    return Answer(answer.outputs[samples], answer.counts and answer.counts.take(samples), cost)


def _same(one: Answer, other: Answer, message: str) -> None:
    _require(np.array_equal(one.outputs, other.outputs), f"{message} (outputs)")
    if one.counts is not None and other.counts is not None:
        for name in ("spikes", "neuron_updates", "synaptic_events"):
            same = np.array_equal(getattr(one.counts, name), getattr(other.counts, name))
            _require(same, f"{message} (counts: {name})")
    if one.cost is not None and other.cost is not None:
        _same_terms(one.cost.energy_j, other.cost.energy_j, f"{message} (energy")
        _same_terms(one.cost.latency_s, other.cost.latency_s, f"{message} (latency")


def _same_terms(one: Mapping[str, Term], other: Mapping[str, Term], message: str) -> None:
    _require(one.keys() == other.keys(), f"{message}: other terms)")
    for name, term in one.items():
        _require(np.array_equal(term.values, other[name].values), f"{message}: {name})")


def _check_term(name: str, term: Term) -> None:
    _require(bool(re.fullmatch(r"[a-z][a-z0-9_]*", name)), f"term {name!r}: not a lower-case name")
    _require(term.boundary in NESTED, f"term {name}: boundary {term.boundary!r} is not one of {NESTED}")
    _require(
        term.values.shape == (SAMPLES,), f"term {name}: shape {term.values.shape}, expected ({SAMPLES},)"
    )
    _require(term.values.dtype == np.float64, f"term {name}: {term.values.dtype}, expected float64")
    _require(bool(np.isfinite(term.values).all()), f"term {name}: not finite")
    _require(bool((term.values >= 0).all()), f"term {name}: negative")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise Nonconformity(message)


def _dynamics(n: int, *, spiking: bool) -> Dynamics:
    def full(value: float) -> npt.NDArray[np.float32]:
        return np.full(n, value, np.float32)

    return Dynamics(
        syn_decay=full(0.5),
        syn_gain=full(1),
        mem_decay=full(0.9),
        mem_gain=full(0.5),
        leak=full(0),
        bias=full(0),
        threshold=full(1),
        v_reset=full(0),
        spiking=spiking,
    )
