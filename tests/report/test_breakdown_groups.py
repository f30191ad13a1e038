"""Every term that a card of nmbench prices has a colour of its own sort in the figure of breakdowns."""

from __future__ import annotations

import pytest
import tiny

from nmbench.energy.card import card_names, load_card
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS, price
from nmbench.report.breakdown import GROUPS
from nmbench.simulator.reference import simulate

MIXED = {"beyond_macros", "dynamic"}
"""What holds several sorts: all of a chip beyond its macros, all that a chip draws above its board."""

NETWORK = tiny.mlp()
MODELLED = [name for name in card_names() if load_card(name).model in MODELS]


@pytest.mark.parametrize("name", MODELLED)
def test_every_term_has_its_group(name: str) -> None:
    card = load_card(name)
    mapping = place(NETWORK, card)
    if not isinstance(mapping, Mapping):
        pytest.skip(mapping.reason)
    terms = set(price(simulate(NETWORK, tiny.spike_batch(NETWORK)).counts, mapping, card).energy_j)
    named = {term for group in GROUPS for term in group.terms}
    assert terms <= named | MIXED


def test_no_term_stands_in_two_groups() -> None:
    named = [term for group in GROUPS for term in group.terms]
    assert len(named) == len(set(named))
