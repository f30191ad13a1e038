from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

from nmbench.energy.card import CARDS, WIDE, Card, card_names, load_card, read_card
from nmbench.errors import InputError

FACTS = Path(__file__).parents[3] / "shared" / "facts"
UNIT_BY_PREFIX = {"e_": "J", "p_": "W", "t_": "s", "share_": "1", "cycles_": "1"}


def edit(tmp_path: Path, name: str, *changes: tuple[str, object]) -> Path:
    """Copy a card with dotted fields changed; None takes a field away."""
    content = yaml.safe_load((CARDS / f"{name}.yaml").read_text())
    for dotted, value in changes:
        *way, last = dotted.split(".")
        place = content
        for key in way:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("name", card_names())
def test_constants_have_the_unit_of_their_name(name: str) -> None:
    for constant, c in load_card(name).constants.items():
        for prefix, unit in UNIT_BY_PREFIX.items():
            if constant.startswith(prefix):
                assert c.unit == unit, constant


@pytest.mark.parametrize("name", card_names())
def test_what_rests_on_no_primary_source_is_wide_and_called_so(name: str) -> None:
    for constant, c in load_card(name).constants.items():
        if c.evidence in ("secondary", "abstract", "memory", "none"):
            assert c.kind in ("estimated", "vendor"), constant
            assert c.hi >= WIDE * c.lo, constant
        assert c.lo <= c.value <= c.hi


@pytest.mark.parametrize("name", card_names())
def test_quoted_facts_exist_and_are_no_weaker_than_said(name: str) -> None:
    if not FACTS.is_dir():
        pytest.skip(f"no facts at {FACTS}")
    evidence: dict[str, str] = {}
    for file in ("parameters.csv", "measurements.csv"):
        with (FACTS / file).open(newline="") as rows:
            evidence |= {row["id"]: row["evidence"] for row in csv.DictReader(rows)}
    text = (CARDS / f"{name}.yaml").read_text()
    assert set(re.findall(r"\b[PV]\d{3}\b", text)) <= evidence.keys() | {"V100"}  # a GPU
    card = load_card(name)
    for constant, c in card.constants.items():
        quoted = [evidence[i] for i in re.findall(r"\b[PV]\d{3}\b", c.source)]
        if c.evidence == "primary" and quoted:
            assert "primary" in quoted, constant


def test_hash_follows_the_content_alone(tmp_path: Path) -> None:
    original = load_card("loihi")
    assert read_card(edit(tmp_path, "loihi")).sha256 == original.sha256
    changed = read_card(edit(tmp_path, "loihi", ("constants.e_spike.value", 70.0e-12)))
    assert changed.sha256 != original.sha256


def test_all_faults_in_one_message(tmp_path: Path) -> None:
    path = edit(
        tmp_path,
        "loihi",
        ("constants.e_spike.value", 1.0),
        ("constants.p_static.unit", "mW"),
        ("constants.t_spike.evidence", "memory"),
        ("limits.chips.sauce", "none"),
        ("title", None),
        ("model_error.energy.chip_total", 0.5),
        ("status", "vapour"),
    )
    with pytest.raises(InputError) as caught:
        read_card(path)
    assert caught.value.subject == str(path)
    found = "\n".join(caught.value.faults)
    for place in (
        "constants.e_spike: value 1 lies outside its interval",
        "constants.p_static.unit",
        "constants.t_spike: kind fitted asks for evidence primary, not memory",
        "limits.chips.sauce: unknown field 'sauce'",
        "title: missing",
        "model_error.energy.chip_total",
        "status",
    ):
        assert place in found
    assert len(caught.value.faults) == 7


def test_many_faults_of_every_sort_in_one_message(tmp_path: Path) -> None:
    path = edit(
        tmp_path,
        "loihi",
        ("colour", "red"),
        ("version", "1"),
        ("family", "loihis"),
        ("summary", ""),
        ("sources", []),
        ("aliases", ["v100", "Two Words"]),
        ("model_error.energy.wall", 2.0),
        ("model_error.energy.chip_total", "two"),
        ("constants.e_update.conditions", None),
        ("constants.e_update.hi", 1e-12),
        ("constants.e_message.source", "a friend"),
        ("constants.e_spike.unit", "kWh"),
        ("constants.e_spike.kind", "derived"),
        ("constants.e_spike.evidence", "memory"),
        ("constants.p_management.kind", "estimated"),
        ("constants.p_management.evidence", "none"),
        ("limits.e_hop_ew", yaml.safe_load((CARDS / "loihi.yaml").read_text())["constants"]["e_hop_ew"]),
    )
    with pytest.raises(InputError) as caught:
        read_card(path)
    found = caught.value.faults
    for place in (
        "colour: unknown field",
        "version",
        "family",
        "summary",
        "sources",
        "aliases: 'v100' is already",
        "aliases.1",
        "model_error.energy.chip_total",
        "model_error.energy.wall: not among the boundaries",
        "constants.e_update.conditions: missing",
        "constants.e_update: value 7.28e-11 lies outside its interval",
        "constants.e_message: source 'a friend' names neither",
        "constants.e_spike.unit",
        "constants.e_spike: kind derived asks for evidence primary or derived, not memory",
        "constants.p_management: estimated on evidence none needs a wide interval",
        "e_hop_ew: stands among both constants and limits",
    ):
        assert any(fault.startswith(place) for fault in found), (place, found)
    assert len(found) == len(set(found)) >= 15


@pytest.mark.parametrize("kind", ["measured", "fitted", "simulated", "derived"])
def test_what_can_be_looked_up_says_where(tmp_path: Path, kind: str) -> None:
    own = (("constants.e_spike.kind", kind), ("constants.e_spike.source", "our laboratory"))
    with pytest.raises(InputError, match="names neither a row of facts"):
        read_card(edit(tmp_path, "loihi", *own))
    for source in ("P014", "facts/capacity.csv", "Boyle 2025"):
        read_card(edit(tmp_path, "loihi", own[0], ("constants.e_spike.source", source)))


def test_a_what_if_card_has_estimates_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_card(edit(tmp_path, "loihi", ("status", "what-if")))
    loihi = load_card("loihi")
    sure = [n for n, c in {**loihi.constants, **loihi.limits}.items() if c.kind != "estimated"]
    assert len(caught.value.faults) == len(sure)
    assert any(
        "constants.e_spike: fitted, but every value of a what-if card is" in f for f in caught.value.faults
    )

    guesses = [
        (
            f"{group}.{name}",
            {**fields, "kind": "estimated", "lo": fields["value"] / 4, "hi": fields["value"] * 4},
        )
        for group in ("constants", "limits")
        for name, fields in yaml.safe_load((CARDS / "loihi.yaml").read_text())[group].items()
    ]
    card = read_card(edit(tmp_path, "loihi", ("status", "what-if"), *guesses))
    assert card.status == "what-if" and {c.kind for c in card.constants.values()} == {"estimated"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("constants.p_management.kind", "estimated"), "p_management"),
        (("model_error.energy.wall", 2.0), "model_error.energy.wall: not among the boundaries"),
        (("boundaries.wall", "all"), "boundaries.wall: no model_error"),
        (("name", "loihi9"), "is not the file's name"),
        (("constants.e_spike.value", "69e-12"), "valid number"),
        (("constants.e_spike.value", float("nan")), "finite"),
        (("constants.e_spike.lo", -1.0), "greater than or equal to 0"),
    ],
)
def test_refuses(tmp_path: Path, change: tuple[str, object], message: str) -> None:
    extra = (("constants.p_management.evidence", "secondary"),) if "kind" in change[0] else ()
    with pytest.raises(InputError, match=re.escape(message)):
        read_card(edit(tmp_path, "loihi", change, *extra))


def test_unknown_card_and_constant_have_near_misses() -> None:
    with pytest.raises(InputError, match="did you mean 'loihi'"):
        load_card("loihl")
    with pytest.raises(KeyError, match="did you mean 'e_spike'"):
        load_card("loihi").value("e_spikes")
    assert load_card("loihi").limit("synapse_bytes_per_chip") is None


def test_cards_are_immutable() -> None:
    card: Card = load_card("loihi")
    with pytest.raises(ValueError, match="frozen"):
        card.name = "other"
