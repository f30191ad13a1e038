"""Card files: variants laid over their bases, heads that agree with the files, names that find a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nmbench.energy.card import Card, card_names, find_card, load_card, read_card
from nmbench.energy.cardfile import CARDS, bare, chain, heads, merged, owners
from nmbench.energy.constant import Constant
from nmbench.errors import InputError
from nmbench.registry import platforms

CONSTANT: dict[str, Any] = {
    "value": 1.0,
    "unit": "W",
    "lo": 0.5,
    "hi": 2.0,
    "kind": "estimated",
    "conditions": "none",
    "source": "our guess",
    "evidence": "none",
}


def write(folder: Path, name: str, **fields: object) -> Path:
    content = {"name": name, "version": 1, "title": f"Card {name}", "summary": name} | fields
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not ...}))
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_card(path)
    assert caught.value.subject == str(path)
    return list(caught.value.faults)


def test_a_variant_has_from_its_base_what_it_does_not_say(tmp_path: Path) -> None:
    base = load_card("loihi2")
    path = write(
        tmp_path,
        "mine",
        base="loihi2",
        constants={"p_static": CONSTANT},
        limits={"chips": {**CONSTANT, "unit": "1", "value": 1}, "synapse_bytes_per_core": None},
        sources=["ours 2026"],
    )
    mine = read_card(path)
    assert mine.title == "Card mine" and mine.family == base.family and mine.boundaries == base.boundaries
    assert mine.constants == base.constants | {"p_static": mine.constants["p_static"]}
    assert mine.value("p_static") == 1.0 and mine.constants["p_static"].source == "our guess"
    assert base.limits.keys() - mine.limits.keys() == {"synapse_bytes_per_core"}
    assert mine.sources == (*base.sources, "ours 2026") and mine.notes == base.notes
    assert mine.aliases == () and base.aliases


def test_a_variant_of_a_variant(tmp_path: Path) -> None:
    write(tmp_path, "one", base="loihi", constants={"p_io": {**CONSTANT, "value": 1.5}})
    two = read_card(write(tmp_path, "two", base="one", constants={"p_static": CONSTANT}))
    assert (two.value("p_io"), two.value("p_static")) == (1.5, 1.0)


def test_the_hash_covers_what_comes_from_the_base(tmp_path: Path) -> None:
    write(tmp_path, "one", base="loihi", constants={"p_static": CONSTANT})
    path = write(tmp_path, "two", base="one")
    before = read_card(path).sha256
    write(tmp_path, "one", base="loihi", constants={"p_static": {**CONSTANT, "value": 1.25}})
    assert read_card(path).sha256 != before


def test_a_variant_is_the_card_that_is_written_out(tmp_path: Path) -> None:
    content, found = merged(CARDS / "hala-point.yaml")
    assert found == []
    (tmp_path / "hala-point.yaml").write_text(yaml.safe_dump({**content, "base": None}))
    whole = read_card(tmp_path / "hala-point.yaml")
    assert whole.model_dump(exclude={"base"}) == load_card("hala-point").model_dump(exclude={"base"})


def test_an_unknown_base_and_all_else_in_one_message(tmp_path: Path) -> None:
    found = faults(write(tmp_path, "mine", base="loihi3", title=..., aliases=["v100"], colour="red"))
    assert any("base: unknown card 'loihi3': did you mean 'loihi" in fault for fault in found)
    assert "title: missing" in found
    assert any("aliases: 'v100' is already another name of card 'gpu-v100'" in fault for fault in found)
    assert any(fault.startswith("colour: unknown field") for fault in found)


def test_bases_that_go_round_in_a_circle(tmp_path: Path) -> None:
    write(tmp_path, "one", base="two")
    assert "base: two -> one -> two goes round in a circle" in faults(write(tmp_path, "two", base="one"))
    assert "base: three -> three goes round in a circle" in faults(write(tmp_path, "three", base="three"))


def test_a_base_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("name: [")
    found = faults(write(tmp_path, "mine", base="broken"))
    assert any(fault.startswith(f"base: {tmp_path / 'broken.yaml'}: line") for fault in found)


def test_taking_away_what_is_not_there(tmp_path: Path) -> None:
    found = faults(write(tmp_path, "mine", base="loihi", constants={"e_spikes": None}))
    assert len(found) == 1
    assert found[0].startswith(
        "constants.e_spikes: null, but unknown constant 'e_spikes': did you mean 'e_spike'"
    )


@pytest.mark.parametrize("name", ["v100", "loihi2", "SpiNN-5", "Loihi 2", "loihi-1"])
def test_a_name_of_another_card_is_taken(tmp_path: Path, name: str) -> None:
    alias = name.lower().replace(" ", "-")
    if alias in owners():
        assert any(
            "is already" in fault for fault in faults(write(tmp_path, "mine", base="akida", aliases=[alias]))
        )
    assert find_card(name).name in card_names()


def test_a_copy_of_a_shipped_card_may_keep_its_names(tmp_path: Path) -> None:
    copy = tmp_path / "loihi.yaml"
    copy.write_text((CARDS / "loihi.yaml").read_text())
    assert find_card(str(copy)).sha256 == load_card("loihi").sha256


def test_an_alias_stands_once(tmp_path: Path) -> None:
    assert "aliases: 'x' stands twice" in faults(write(tmp_path, "mine", base="loihi", aliases=["x", "x"]))


def test_no_such_card_has_near_misses() -> None:
    with pytest.raises(InputError, match="did you mean 'spinn"):
        find_card("spinn-4")
    with pytest.raises(InputError, match="No such file"):
        find_card("nowhere.yaml")


@pytest.mark.parametrize("name", card_names())
def test_heads_say_what_the_files_say(name: str) -> None:
    head, card = heads()[name], load_card(name)
    said = (head.name, head.base, head.family, head.model, head.status, head.summary, head.aliases)
    assert said == (card.name, card.base, card.family, card.model, card.status, card.summary, card.aliases)
    files = chain(name)
    assert files[0] == CARDS / f"{name}.yaml"
    assert (len(files) > 1) == (card.base is not None)


def test_no_two_cards_share_a_name_whatever_its_spelling() -> None:
    spelt: dict[str, set[str]] = {}
    for name, card in owners().items():
        spelt.setdefault(bare(name), set()).add(card)
    assert {name: cards for name, cards in spelt.items() if len(cards) > 1} == {}
    assert {find_card(name).name for name in owners()} == set(card_names())


def test_systems_differ_from_their_chip_in_what_they_should() -> None:
    def differing(name: str) -> set[str]:
        card = load_card(name)
        assert card.base
        base = load_card(card.base)
        mine, its = (c.constants | c.limits for c in (card, base))
        return {key for key in mine.keys() | its.keys() if mine.get(key) != its.get(key)}

    assert differing("loihi2-kapoho-point") == {"chips", "chips_per_board"}
    assert differing("hala-point") == {"chips", "chips_per_board", "t_barrier_200"}
    assert {"p_board_idle", "chips", "chips_per_board"} <= differing("spinnaker-spinn3")
    assert "p_supply" in differing("spinnaker-rack")
    hala: Card = load_card("hala-point")
    assert hala.value("chips") * hala.value("cores_per_chip") == 140_544


def blocks(language: str) -> list[str]:
    """Return the code blocks of docs/cards.md."""
    text = (Path(__file__).parents[2] / "docs" / "cards.md").read_text()
    return [block.split("```")[0] for block in text.split(f"```{language}\n")[1:]]


def example(folder: Path, name: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(next(block for block in blocks("yaml") if block.startswith(f"name: {name}\n")))
    return path


def test_the_documented_variant_is_a_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(example(tmp_path, "loihi2-two"))
    assert card.value("chips") == 2 and card.constants == load_card("loihi2").constants
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(blocks("python")[0])
    entry = platforms([tmp_path / "mine.py"])["loihi2-two"]
    assert entry.make().info.card == card


def test_a_what_if_variant_holds_its_bases_values_as_estimates(tmp_path: Path) -> None:
    what_if, base = read_card(example(tmp_path, "loihi3")), load_card("loihi2")
    values = {**what_if.constants, **what_if.limits}
    assert what_if.status == "what-if" and {c.kind for c in values.values()} == {"estimated"}
    assert what_if.value("energy_scale") == 0.5
    own, under = what_if.constants["p_static"], base.constants["p_static"]
    assert (own.value, own.lo, own.hi) == (under.value, under.lo / 2, under.hi * 2)
    assert own.source == f"as loihi2: {under.source}"
    # a what-if variant of it has nothing to turn into estimates again
    further = read_card(write(tmp_path, "loihi4", base="loihi3"))
    assert further.constants == what_if.constants


def test_the_documented_number_is_the_cards() -> None:
    block = next(block for block in blocks("yaml") if block.startswith("p_static"))
    said = yaml.safe_load(block)["p_static"]
    assert Constant.model_validate(said) == load_card("loihi").constants["p_static"]
