"""The fit of GPUs' and CPUs' constants: cards hold what it says, from the fit rows alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nmbench.energy.card import Card, card_names, load_card
from nmbench.energy.fits import STEPS, Fit, Free, one_by_one
from nmbench.energy.fitting import Fitting, fit_all
from nmbench.energy.measurements import SHIPPED, Measurement, read_measurements
from nmbench.energy.validation import validate

MODELS_HERE = ("dense", "events", "either")
CARDS = [name for name in card_names() if load_card(name).model in MODELS_HERE]


@pytest.fixture(scope="module")
def rows() -> tuple[Measurement, ...]:
    return read_measurements(SHIPPED).rows


@pytest.fixture(scope="module")
def fitting(rows: tuple[Measurement, ...]) -> Fitting:
    return fit_all(rows, HERE)


UNIT = 0.01
"""A unit of the last of a card's three digits, at most."""

HERE = tuple(step for step in STEPS if load_card(step.card).model in MODELS_HERE)


def test_cards_hold_what_the_fit_rows_say(fitting: Fitting) -> None:
    for (name, constant), found in fitting.constants.items():
        own = load_card(name).constants[constant]
        stands, says = (own.value, own.lo, own.hi), (found.value, found.lo, found.hi)
        assert stands == pytest.approx(says, rel=UNIT), f"{name} {constant}"


def test_the_fit_does_not_lean_on_what_the_cards_already_say(
    rows: tuple[Measurement, ...], fitting: Fitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(name: str) -> Card:
        card = load_card(name)
        for i, (own, constant) in enumerate(sorted(fitting.constants)):
            if own == name and constant.startswith("t_"):
                card = card.with_value(constant, card.value(constant) * (0.5, 1.5, 2.5)[i % 3])
        return card

    monkeypatch.setattr("nmbench.energy.fitting.load_card", spoiled)
    again = fit_all(rows, HERE)
    for key, found in fitting.constants.items():
        assert again.constants[key].value == pytest.approx(found.value, rel=UNIT), key


def test_every_fitted_constant_comes_out_of_the_fit(fitting: Fitting) -> None:
    claimed = {(n, c) for n in CARDS for c, own in load_card(n).constants.items() if own.kind == "fitted"}
    assert claimed <= fitting.constants.keys()


def test_equations_errors_are_those_of_the_fit(fitting: Fitting) -> None:
    for name in CARDS:
        card = load_card(name)
        if card.model == "either":
            continue
        for sort, factors in (("energy", card.model_error.energy), ("latency", card.model_error.latency)):
            assert set(factors.values()) == {fitting.errors[card.model, sort]}, name


def test_test_rows_are_not_read(rows: tuple[Measurement, ...], fitting: Fitting) -> None:
    spoiled = [
        replace(row, measured={q: 3 * v for q, v in row.measured.items()}) if row.split == "test" else row
        for row in rows
    ]
    assert fit_all(spoiled, HERE).constants == fitting.constants


def test_the_fit_finds_constants_that_made_the_rows(rows: tuple[Measurement, ...]) -> None:
    true = load_card("gpu-k4000").with_value("t_launch", 3e-5).with_value("t_call", 5e-4)
    true = true.with_value("p_launch", 50.0).with_value("p_load", 50.0)
    own = [replace(row, card=true) for row in rows if row.card.name == "gpu-k4000"]
    made = [
        replace(
            row,
            card=load_card("gpu-k4000"),
            split="fit",
            measured=dict(zip(row.measured, values, strict=True)),
        )
        for row, values in ((row, [c.value for c in validate([row])]) for row in own)
    ]
    free = (*one_by_one("t_call", "t_launch"), Free(("p_launch", "p_load")))
    found = fit_all(made, [Fit("gpu-k4000", free)]).constants
    assert {c: found["gpu-k4000", c].value for c in ("t_launch", "t_call", "p_load")} == {
        "t_launch": 3e-5,
        "t_call": 5e-4,
        "p_load": 50.0,
    }


def test_rows_that_do_not_determine_the_constants_are_refused(rows: tuple[Measurement, ...]) -> None:
    one = [row for row in rows if row.card.name == "gpu-k4000" and row.split == "fit"][:1]
    with pytest.raises(ValueError, match="do not determine 4 constants"):
        fit_all(one, [Fit("gpu-k4000", one_by_one("t_call", "t_launch", "t_sample", "p_load"))])


@pytest.mark.parametrize("split", ["fit", "test"])
def test_predictions_are_near_and_intervals_hold(rows: tuple[Measurement, ...], split: str) -> None:
    compared = validate([r for r in rows if r.card.model in MODELS_HERE and r.split == split])
    assert all(c.value is not None for c in compared)
    assert sum(c.near for c in compared) >= 0.8 * len(compared)
    assert sum(c.inside for c in compared) >= 0.8 * len(compared)
