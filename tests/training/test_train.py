"""Training is repeatable and learns; what the provenance states of it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nmbench.datasets.encode import encode
from nmbench.datasets.events import EVENT, EventSet, event_set
from nmbench.errors import InputError
from nmbench.metrics import mean_softmax
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir, write_nir
from nmbench.simulator.engine import compile
from nmbench.training.data import Batches, split_held_out
from nmbench.training.export import export
from nmbench.training.fit import Moment, cross_entropy, evaluate, fit, task_loss
from nmbench.training.model import Net, log_mean_softmax
from nmbench.training.recipe import Augment, Conv, Dense, HeldOutRecipe, Recipe
from nmbench.training.size import parameters, synapses

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
    net = fit(RECIPE, Batches.of(train, RECIPE), 2, seed=0).net
    assert evaluate(net, Batches.of(test, RECIPE))[0] > 0.9
    assert simulated(net, test, tmp_path / "net.nir") > 0.9


def simulated(net: Net, test: EventSet, path: Path, bits: int = 16) -> float:
    write_nir(path, export(net, bits))
    graph, sha256 = read_nir(path)
    spikes = encode(test, RECIPE.dt_s, RECIPE.steps)
    outputs = compile(lower(graph, Dialect(dt=RECIPE.dt_s), sha256)).run(spikes, threads=1).outputs
    return float((mean_softmax(outputs) == test.labels).mean())


def test_a_network_trained_on_the_grid_is_as_good_when_written(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"weight_bits": 4, "quantised_epochs": 6})
    test = sweeps(60)
    net = fit(recipe, Batches.of(sweeps(96), recipe), 2, seed=0).net
    assert net.bits == 4
    accuracy, _ = evaluate(net, Batches.of(test, recipe))
    assert accuracy > 0.9
    assert simulated(net, test, tmp_path / "net.nir", bits=4) == accuracy


def test_the_best_quantised_epoch_on_held_out_samples_is_kept() -> None:
    recipe = RECIPE.model_copy(update={"quantised_epochs": 8, "patience": 2})
    held = Batches.of(sweeps(40), recipe)
    seen: dict[int, float] = {}

    def listen(moment: Moment) -> None:
        if moment.held_out is not None:
            seen[moment.epoch - 1] = moment.held_out  # told during the epoch after

    done = fit(recipe, Batches.of(sweeps(96), recipe), 2, 0, held, listen)
    assert done.held_out == evaluate(done.net, held)[0]
    assert done.epochs_run <= 14
    assert done.epochs_run == 14 or done.epochs_run - done.epoch == 2
    assert min(seen) >= 7, "epochs before the rounding are no candidates"
    assert all(accuracy <= done.held_out for accuracy in seen.values())


def test_steps_without_a_target_have_no_part_in_the_loss() -> None:
    torch.manual_seed(0)
    trace = torch.randn(7, 3, 4, requires_grad=True)
    labels = torch.randint(0, 4, (7, 3))
    labels[2:5] = -1
    loss, accuracy = task_loss(trace, labels, 0.1)
    loss.backward()
    assert (trace.grad[2:5] == 0).all()
    assert (trace.grad[:2] != 0).any()
    kept = torch.cat([trace[:2], trace[5:]]).flatten(0, 1).log_softmax(-1)
    wanted = torch.cat([labels[:2], labels[5:]]).flatten()
    torch.testing.assert_close(loss, cross_entropy(kept, wanted, 0.1))
    assert accuracy == pytest.approx(float((kept.argmax(1) == wanted).float().mean()))


def test_a_label_a_sample_is_the_mean_over_time() -> None:
    trace, labels = torch.randn(7, 5, 4), torch.tensor([0, 1, 2, 3, 0])
    loss, _ = task_loss(trace, labels, 0.0)
    expected = -trace.softmax(-1).mean(0).log()[torch.arange(5), labels].mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(log_mean_softmax(trace).exp(), trace.softmax(-1).mean(0))


def test_pruned_synapses_stay_away() -> None:
    layer = RECIPE.layers[0].model_copy(update={"density": 0.5})
    recipe = RECIPE.model_copy(
        update={"layers": (layer,), "prune_epochs": (2, 4), "epochs": 6, "quantised_epochs": 2}
    )
    net = fit(recipe, Batches.of(sweeps(32), recipe), 2, 0).net
    weight = net.stack[0].synapses.synapses()
    assert ((weight != 0).flatten(1).sum(1) == 4).all()


def test_whole_groups_or_last_samples_are_held_out() -> None:
    events = replace(sweeps(60), groups=np.repeat(np.arange(10), 6))
    kept, apart = split_held_out(events, HeldOutRecipe(by="group", share=0.3))
    assert len(apart) == 18
    assert not set(kept.groups) & set(apart.groups)
    kept, apart = split_held_out(events, HeldOutRecipe(by="sample", share=0.34))
    assert len(apart) == 20, "one of the three of each class and group"
    assert set(kept.groups) == set(apart.groups)
    assert len(kept) + len(apart) == 60
    with pytest.raises(InputError, match="none or all"):
        split_held_out(sweeps(20), HeldOutRecipe(by="group", share=0.3))  # no groups are known


def test_a_seed_decides_every_bit() -> None:
    recipe = RECIPE.model_copy(update={"epochs": 1, "dropout": 0.2})
    batches = Batches.of(sweeps(32), recipe)
    first, again, other = (fit(recipe, batches, 2, seed).net.state_dict() for seed in (0, 0, 1))
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
