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
from nmbench.platforms.base import Answer, Platform
from nmbench.platforms.conformance_traffic import check_price, check_queries, check_stream
from nmbench.platforms.example import CLASSES, SAMPLES, STEPS, example_batch, example_network
from nmbench.platforms.nonconformity import ROUNDING, fresh_answer, require, same
from nmbench.quantity import BOUNDARIES, NESTED


def check_info(platform: Platform) -> None:
    """Check the name, the version, the words, clock and boundary, and that the card hashes its content."""
    info = platform.info
    require(
        bool(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", info.name)), f"name {info.name!r}: not lower-case words"
    )
    require(info.version >= 1, f"version {info.version}: less than 1")
    require(bool(info.family and info.summary), "family or summary is empty")
    require(info.clock in ("wall", "model"), f"clock {info.clock!r}: neither wall nor model")
    require(info.boundary in BOUNDARIES, f"boundary {info.boundary!r}: not one of {BOUNDARIES}")
    require(platform.info == info, "info changes from call to call")
    if info.clock == "model":
        require(info.boundary in NESTED, f"boundary {info.boundary!r} needs the wall clock")
        require(info.card is not None, "a modelled platform has no card")
    if info.card is not None:
        require(bool(re.fullmatch(r"[0-9a-f]{64}", info.card.sha256)), "the card's sha256 is no SHA-256")
        again = Card.model_validate(info.card.model_dump())
        require(again.sha256 == info.card.sha256, "the card's sha256 does not follow from its content")


def check_refusal(platform: Platform) -> None:
    """Check that a network is taken (None) or refused with a reason, each time alike."""
    reason = platform.refuse(example_network())
    require(
        reason is None or (isinstance(reason, str) and bool(reason.strip())),
        "refuse: neither None nor a reason",
    )
    require(platform.refuse(example_network()) == reason, "refuse changes its mind")


def check_answers(platform: Platform) -> None:
    """Check that outputs are float32 ``[B, T, classes]`` and finite, and counts, if any, of this batch."""
    answer = fresh_answer(platform, example_batch())
    if answer is None:
        return
    expected = (SAMPLES, STEPS, CLASSES)
    require(
        answer.outputs.shape == expected, f"outputs have shape {answer.outputs.shape}, expected {expected}"
    )
    require(answer.outputs.dtype == np.float32, f"outputs are {answer.outputs.dtype}, expected float32")
    require(bool(np.isfinite(answer.outputs).all()), "outputs are not finite")
    if answer.counts is not None:
        require(answer.counts.spikes.shape[:2] == expected[:2], "counts are of another batch")


def check_deterministic(platform: Platform) -> None:
    """Check that a batch gets the same answer again, from the same session and from a new one."""
    batch = example_batch()
    network = example_network()
    if platform.refuse(network) is not None:
        return
    session = platform.load(network)
    first, second = session.infer(batch), session.infer(batch)
    session.close()
    same(first, second, "asked again, the session answers otherwise")
    third = fresh_answer(platform, batch)
    if third is not None:
        same(first, third, "a new session answers otherwise")


def check_from_rest(platform: Platform) -> None:
    """Check that an answer depends neither on the sample's place in the batch nor on the batch's size."""
    batch = example_batch()
    whole = fresh_answer(platform, batch)
    if whole is None:
        return
    order = np.random.default_rng(3).permutation(SAMPLES)
    shuffled = fresh_answer(platform, batch.take(order))
    alone = fresh_answer(platform, batch.take([SAMPLES - 1]))
    if shuffled is not None:
        same(_pick(whole, order), shuffled, "the order of the batch changes an answer")
    if alone is not None:
        same(_pick(whole, np.array([SAMPLES - 1])), alone, "the size of the batch changes an answer")


def check_cost(platform: Platform) -> None:
    """Check that terms are named, finite, not negative, a value a sample; that boundaries nest."""
    answer = fresh_answer(platform, example_batch())
    if answer is None:
        return
    if answer.cost is None:
        require(platform.info.clock == "wall", "a modelled platform states no cost")
        return
    cost = answer.cost
    for name, term in {**cost.energy_j, **cost.latency_s}.items():
        _check_term(name, term)
    for what, terms, factors, total in (
        ("energy", cost.energy_j, cost.energy_factor, cost.energy),
        ("latency", cost.latency_s, cost.latency_factor, cost.latency),
    ):
        require(bool(factors), f"{what}: no boundary is stated")
        unstated = {term.boundary for term in terms.values()} - factors.keys()
        require(not unstated, f"{what}: terms at {sorted(unstated)}, which is not stated")
        require(all(f >= 1 for f in factors.values()), f"{what}: an interval's factor is less than 1")
        totals = [total(boundary) for boundary in NESTED if boundary in factors]
        require(all((t > 0).all() for t in totals), f"{what}: nothing is spent inside a stated boundary")
        for inner, outer in pairwise(totals):
            require(bool((outer >= inner).all()), f"{what}: falls from one boundary to the next one out")


def check_growth(platform: Platform) -> None:
    """Check that energy and time do not fall where spikes are added."""
    few, many = fresh_answer(platform, example_batch(0.1)), fresh_answer(platform, example_batch(0.5))
    if few is None or many is None or few.cost is None or many.cost is None:
        return
    slack = 1 - ROUNDING
    for boundary in few.cost.energy_factor:
        grows = (many.cost.energy(boundary) >= slack * few.cost.energy(boundary)).all()
        require(bool(grows), f"energy at {boundary} falls with more spikes")
    for boundary in few.cost.latency_factor:
        grows = (many.cost.latency(boundary) >= slack * few.cost.latency(boundary)).all()
        require(bool(grows), f"latency at {boundary} falls with more spikes")


CHECKS: Mapping[str, Callable[[Platform], None]] = {
    "info": check_info,
    "refusal": check_refusal,
    "answers": check_answers,
    "deterministic": check_deterministic,
    "from_rest": check_from_rest,
    "cost": check_cost,
    "growth": check_growth,
    "queries": check_queries,
    "stream": check_stream,
    "price": check_price,
}
"""Every check by name; what does not apply to a platform (a cost that it does not state) passes."""


def _check_term(name: str, term: Term) -> None:
    require(bool(re.fullmatch(r"[a-z][a-z0-9_]*", name)), f"term {name!r}: not a lower-case name")
    require(term.boundary in NESTED, f"term {name}: boundary {term.boundary!r} is not one of {NESTED}")
    require(term.values.shape == (SAMPLES,), f"term {name}: shape {term.values.shape}, expected ({SAMPLES},)")
    require(term.values.dtype == np.float64, f"term {name}: {term.values.dtype}, expected float64")
    require(bool(np.isfinite(term.values).all()), f"term {name}: not finite")
    require(bool((term.values >= 0).all()), f"term {name}: negative")


def _pick(answer: Answer, samples: npt.NDArray[np.int64]) -> Answer:
    cost = answer.cost
    if cost is not None:
        cost = replace(
            cost,
            energy_j={n: replace(t, values=t.values[samples]) for n, t in cost.energy_j.items()},
            latency_s={n: replace(t, values=t.values[samples]) for n, t in cost.latency_s.items()},
        )
    return Answer(answer.outputs[samples], answer.counts and answer.counts.take(samples), cost)
