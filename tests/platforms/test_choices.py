"""What a session says it chose stands in the record: the engine, and the way of each layer."""

from __future__ import annotations

import pytest
import tiny

from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS
from nmbench.platforms.modelled import modelled
from nmbench.platforms.numba_event import NumbaEvent
from nmbench.simulator.engine import compile

NETWORK = tiny.recurrent(inputs=40, hidden=30, classes=4)


@pytest.mark.parametrize(("name", "ways"), [("spinnaker2", {"event_path", "mac_array"}), ("gpu-h100", None)])
def test_every_layer_is_named_once_by_its_way(name: str, ways: set[str] | None) -> None:
    session = modelled(name).load(NETWORK)
    counts = session.infer(tiny.spike_batch(NETWORK)).counts
    chosen = session.choices(counts)
    assert set(chosen) <= (ways or {"event_kernels", "dense_kernels"})
    named = [projection for group in chosen.values() for projection in group]  # type: ignore[union-attr]
    assert sorted(named) == sorted(p.name for p in NETWORK.projections)


@pytest.mark.parametrize(("name", "busy"), [("spinnaker2", "mac_array"), ("gpu-h100", "dense_kernels")])
def test_the_cheaper_way_has_the_energy(name: str, busy: str) -> None:
    """With every input spiking in every step the dense way wins, and its term holds what it costs."""
    platform = modelled(name)
    session = platform.load(NETWORK)
    answer = session.infer(tiny.spike_batch(NETWORK, rate=1.0))
    assert answer.cost is not None
    assert busy in session.choices(answer.counts)
    assert (answer.cost.energy_j[busy].values > 0).all()


def test_platforms_with_one_way_name_none() -> None:
    session = modelled("loihi").load(NETWORK)
    assert session.choices(session.infer(tiny.spike_batch(NETWORK)).counts) == {}
    assert MODELS["loihi"].ways is None
    assert isinstance(modelled("loihi").place(NETWORK), Mapping)


def test_the_simulator_names_its_engine_and_why_not_a_faster_one() -> None:
    simulator = compile(NETWORK)
    chosen = NumbaEvent().load(NETWORK).choices(None)
    assert chosen["engine"] == simulator.engine
    assert chosen.get("engine_reason") == simulator.reason
