from __future__ import annotations

import math

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from nmbench.energy.card import Card, card_names, load_card
from nmbench.energy.cost import Cost
from nmbench.energy.host import price_host
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS, price, price_spreads
from nmbench.energy.uncertainty import EQUATION, Spread, cost_spreads, spreads
from nmbench.simulator.reference import simulate

MODELLED = [name for name in card_names() if load_card(name).model in MODELS]
NETWORK = tiny.mlp(inputs=40, hidden=30, classes=4)
Z_90 = 1.6448536269514722
DRAWS = 2000


def host() -> Card:
    return load_card("cpu-host")


def test_a_product_of_two_constants_by_hand() -> None:
    card = host().model_copy(
        update={
            "constants": {
                name: host().constants["p_core_active"].model_copy(update={"value": 1.0, "lo": lo, "hi": hi})
                for name, lo, hi in (("a", 0.5, 2.0), ("b", 1 / 3, 3.0), ("unused", 0.1, 10.0))
            }
        }
    )
    found = spreads(lambda c: {"ab": c.value("a") * c.value("b") ** 2}, card, {"ab": 1.5})["ab"]
    # logarithms of products add up as squares: exactly so where the constants are log-normal
    width = math.hypot(math.log(2), 2 * math.log(3), math.log(1.5))
    assert math.log(found.upper) == pytest.approx(width, rel=0.05)
    assert math.log(found.lower) == pytest.approx(-width, rel=0.05)
    variances = {"b": 4 * math.log(3) ** 2, "a": math.log(2) ** 2, EQUATION: math.log(1.5) ** 2}
    for name, variance in variances.items():
        assert found.shares[name] == pytest.approx(variance / sum(variances.values()), abs=0.02)
    assert list(found.shares)[:3] == ["b", "a", EQUATION]
    assert found.shares.get("unused", 0) < 1e-12


def test_zero_stays_zero_without_a_spread() -> None:
    found = spreads(lambda card: {"none": 0.0}, host(), {"none": 1.0})["none"]
    assert (found.lower, found.upper, found.shares) == (1.0, 1.0, {})


def above(watts: float) -> Spread:
    """The spread of what 1.5 to 24 W, 6 W in the middle, leave above so many watts."""
    found = spreads(lambda c: {"above": max(0.0, c.value("p_core_active") - watts)}, host(), {"above": 1.0})
    return found["above"]


def test_a_number_that_some_draws_make_vanish_has_an_interval_down_to_nothing() -> None:
    often = above(1.6)
    assert often.lower == 0
    assert often.upper == pytest.approx((24 - 1.6) / (6 - 1.6), rel=0.1)
    assert often.shares["p_core_active"] == pytest.approx(1)
    seldom = above(1.2)  # below the 5 % quantile alone
    assert 0 < seldom.lower < 0.2


def test_wall_time_by_a_power_has_the_interval_of_the_power() -> None:
    card = host()
    power = card.constants["p_core_active"]
    found = cost_spreads(lambda varied: price_host(np.array([1.0, 2.0]), varied), card)
    error = math.log(card.model_error.energy["chip_dynamic"])
    width = math.hypot(math.log(power.hi / power.value), error)
    assert math.log(found["energy", "chip_dynamic"].upper) == pytest.approx(width, rel=0.05)


@pytest.mark.parametrize("name", MODELLED)
def test_plain_monte_carlo_agrees(name: str) -> None:
    """All constants drawn at once, log-normal to either side with their 90 % intervals."""
    card = load_card(name)
    mapping = place(NETWORK, card)
    if not isinstance(mapping, Mapping):
        pytest.skip(mapping.reason)
    counts = simulate(NETWORK, tiny.spike_batch(NETWORK, samples=2)).counts
    analytic = price_spreads(counts, mapping, card)
    rng = np.random.default_rng(3)

    def total(cost: Cost, what: str, boundary: str) -> float:
        totals = cost.energy(boundary) if what == "energy" else cost.latency(boundary)  # type: ignore[arg-type]
        return float(totals.mean())

    central = price(counts, mapping, card)
    drawn: dict[tuple[str, str], list[float]] = {key: [] for key in analytic}
    for _ in range(DRAWS):
        varied = card
        for constant, own in card.constants.items():
            if own.lo < own.hi and own.lo > 0:
                z = rng.normal() / Z_90
                end = own.hi if z > 0 else own.lo
                varied = varied.with_value(constant, own.value * (end / own.value) ** abs(z))
        cost = price(counts, mapping, varied)
        for key, values in drawn.items():
            values.append(total(cost, *key) / total(central, *key))
    for (what, boundary), values in drawn.items():
        factors = central.energy_factor if what == "energy" else central.latency_factor
        error = np.exp(rng.normal(size=DRAWS) * math.log(factors[boundary]) / Z_90)  # type: ignore[index]
        lower, upper = np.quantile(np.array(values) * error, [0.05, 0.95])
        spread = analytic[what, boundary]  # type: ignore[index]
        if not spread.lower:
            continue  # an end of one constant makes the number vanish
        # semi-deviations against quantiles: alike to a tenth of the width, and sampling error
        slack = 0.1 + 0.1 * math.log(spread.upper / spread.lower)
        assert abs(math.log(upper / spread.upper)) < slack, (what, boundary, upper, spread)
        assert abs(math.log(lower / spread.lower)) < slack, (what, boundary, lower, spread)


@given(st.floats(1, 5), st.floats(1, 5))
def test_a_wider_constant_never_narrows_the_interval(one: float, other: float) -> None:
    narrow, wide = sorted((one, other))

    def upper(factor: float) -> float:
        power = host().constants["p_core_active"]
        moved = power.model_copy(update={"lo": power.value / factor, "hi": power.value * factor})
        card = host().model_copy(update={"constants": {"p_core_active": moved}})
        return cost_spreads(lambda c: price_host(np.array([1.0]), c), card)["energy", "chip_dynamic"].upper

    assert upper(narrow) <= upper(wide)


@pytest.mark.parametrize("name", MODELLED)
def test_shares_add_up(name: str) -> None:
    card = load_card(name)
    mapping = place(NETWORK, card)
    if not isinstance(mapping, Mapping):
        pytest.skip(mapping.reason)
    counts = simulate(NETWORK, tiny.spike_batch(NETWORK)).counts
    for spread in price_spreads(counts, mapping, card).values():
        assert sum(spread.shares.values()) == pytest.approx(1)
        assert spread.lower <= 1 <= spread.upper
        assert set(spread.shares) <= {*card.constants, EQUATION}


def test_where_a_chip_mostly_waits_its_idle_power_rules_the_interval() -> None:
    """A recording an hour: all but nothing of the energy is idle power x an hour, and so is its spread."""
    card = load_card("loihi")
    mapping = place(NETWORK, card)
    assert isinstance(mapping, Mapping)
    counts = simulate(NETWORK, tiny.spike_batch(NETWORK, samples=2)).counts
    seldom = price_spreads(counts, mapping, card, each_s=3600.0)["energy", "chip_total"]
    alone = price_spreads(counts, mapping, card)["energy", "chip_total"]
    own = {name for name, share in seldom.shares.items() if share > 0.05}
    assert own <= {"p_static", "p_core_on", "equation"}, seldom.shares
    assert seldom.shares != alone.shares
    static = card.constants["p_static"]
    assert seldom.upper <= (static.hi / static.value) * card.model_error.energy["chip_total"]


def test_a_sample_right_after_the_other_has_the_spread_of_the_price_itself() -> None:
    """Where the time from sample to sample is the call's own, and certain, both spreads are one."""
    card = load_card("spinnaker")  # in real time: what varies is power, not time
    mapping = place(NETWORK, card)
    assert isinstance(mapping, Mapping)
    counts = simulate(NETWORK, tiny.spike_batch(NETWORK, samples=2)).counts
    each_s = float(price(counts, mapping, card).latency("chip_total").mean())
    busy = price_spreads(counts, mapping, card, each_s=each_s)
    alone = price_spreads(counts, mapping, card)
    for what in busy:
        assert busy[what].upper == pytest.approx(alone[what].upper, rel=0.02)
        assert busy[what].lower == pytest.approx(alone[what].lower, rel=0.02)
