"""Training is repeatable and learns; what the provenance states of it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from nmbench.datasets.events import EVENT, EventSet, event_set
from nmbench.network.nir_file import write_nir
from nmbench.training.data import Batches
from nmbench.training.export import export
from nmbench.training.model import Net
from nmbench.training.provenance import accuracy_float, parameters, simulated_hits, synapses
from nmbench.training.recipe import Augment, Conv, Dense, Recipe
from nmbench.training.train import fit

RECIPE = Recipe(
    dt_s=0.01,
    steps=12,
    layers=(Dense(kind="dense", units=24, delays=(0, 2, 4), taps="one_at_random", recurrent=True),),
    tau_syn_s=(0.005, 0.02),
    tau_mem_s=(0.01, 0.04),
    tau_readout_s=0.1,
    epochs=14,
    batch=16,
    learning_rate=0.01,
    augment=Augment(jitter_s=0.001, drop=0.1),
)


@pytest.fixture(autouse=True)
def _torch_settings() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def sweeps(count: int) -> EventSet:
    """Return sweeps over eight channels, up or down: the counts of the two classes are the same."""
    rng = np.random.default_rng(count)
    samples = []
    for n in range(count):
        events = np.zeros(32, EVENT)
        events["x"] = np.repeat(np.arange(8), 4)
        place = events["x"] if n % 2 else 7 - events["x"]
        events["t"] = place * 12_000 + rng.integers(0, 12_000, 32)
        samples.append(events)
    labels = np.arange(count) % 2
    return event_set("sweeps/train", (8, 1, 1), samples, labels, [-1] * count, ("down", "up"), True)


def test_it_learns_an_order_in_time_and_the_simulator_agrees(tmp_path: Path) -> None:
    train, test = sweeps(96), sweeps(60)
    net = fit(RECIPE, Batches.of(train, RECIPE), 2, seed=0)
    assert accuracy_float(net, Batches.of(test, RECIPE)) > 0.9
    write_nir(tmp_path / "net.nir", export(net, 16))
    assert simulated_hits(tmp_path / "net.nir", RECIPE, test).mean() > 0.9


def test_a_seed_decides_every_bit() -> None:
    recipe = RECIPE.model_copy(update={"epochs": 1, "dropout": 0.2})
    batches = Batches.of(sweeps(32), recipe)
    first, again, other = (fit(recipe, batches, 2, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["readout.weight"], other["readout.weight"])
    assert not torch.equal(first["layers.0.synapses.mask"], other["layers.0.synapses.mask"])


def test_only_synapses_that_exist_are_counted() -> None:
    net = Net((8,), 2, RECIPE)
    assert synapses(net) == 8 * 24 + 24 * 24 + 24 * 2
    # gain and offset of the norm, two time constants a neuron; bias and time constant of the readout
    assert parameters(net) == synapses(net) + 24 * 4 + 2 * 2
    conv = RECIPE.model_copy(update={"layers": (Conv(kind="conv", channels=3, kernel=2),)})
    assert synapses(Net((2, 4, 4), 5, conv)) == 3 * 2 * 4 + 3 * 9 * 5
