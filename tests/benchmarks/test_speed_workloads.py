"""The workloads are SPEED.md's in size and activity, and a plain loop makes the same spikes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import brunel_workload
import exchange
import numpy as np
import protocol
import pytest
import workloads
from workloads import RECIPES, Layer, Recipe, Workload

from nmbench.simulator.engine import compile
from nmbench.simulator.reference import simulate
from nmbench.simulator.sparse.engine import compile_sparse

SMALL = Recipe(
    "small",
    (2, 16, 16),
    12,
    150,
    (
        Layer((3, 8, 8), 1.5, kernel=3, pool=2),
        Layer((4, 4, 4), 2.0, kernel=3, stride=2),
        Layer((5,), 1.0, pool=2, spiking=False),
    ),
    samples=2,
    grid=64,
)
PUBLISHED = {  # input events, share of cells, synaptic events in millions: SPEED.md
    "W1": (8005, 0.114, 2.42),
    "W1s": (1052, 0.015, 0.435),
    "W2": (3990, 0.0058, 4.80),
    "nm": (4500, None, None),
    "ds": (40000, None, None),
}


def step_by_step(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Run sample 0 by the step that SPEED.md gives; return spikes of each step and layer, and the readout."""
    recipe, batch, beta = workload.recipe, workload.batch, np.float32(workloads.BETA)
    v = [np.zeros(layer.shape, np.float32) for layer in recipe.layers]
    s = [np.zeros(layer.shape, np.float32) for layer in recipe.layers]
    counts = np.zeros((recipe.steps, len(recipe.layers) - 1), np.int64)
    for t in range(recipe.steps):
        x = np.bincount(batch.row(0, t), minlength=batch.size).reshape(recipe.shape).astype(np.float32)
        for k, layer in enumerate(recipe.layers):
            arriving = received(layer, workload.weights[k], x)
            if workload.recurrent[k] is not None:
                arriving = arriving + (s[k] @ workload.recurrent[k].astype(np.float64))
            v[k] = beta * v[k] + arriving.astype(np.float32)
            s[k] = (v[k] >= 1).astype(np.float32) * layer.spiking
            v[k] = np.where(s[k] > 0, np.float32(0), v[k])
            x = s[k]
        counts[t] = [spikes.sum() for spikes in s[:-1]]
    return counts, v[-1]


def received(layer: Layer, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sum pools, then multiply or convolve, tap by tap."""
    if layer.pool > 1:
        c, h, w = x.shape
        x = x.reshape(c, h // layer.pool, layer.pool, w // layer.pool, layer.pool).sum(axis=(2, 4))
    weight = weight.astype(np.float64)
    if not layer.kernel:
        return x.ravel() @ weight
    x = np.pad(x, ((0, 0), (layer.kernel // 2,) * 2, (layer.kernel // 2,) * 2))
    _, rows, columns = layer.shape
    total = np.zeros(layer.shape)
    for i in range(layer.kernel):
        for j in range(layer.kernel):
            shifted = x[
                :, i : i + rows * layer.stride : layer.stride, j : j + columns * layer.stride : layer.stride
            ]
            total += np.einsum("oc,cyx->oyx", weight[:, :, i, j], shifted[:, :rows, :columns])
    return total


def with_samples(name: str, samples: int) -> Recipe:
    return replace(RECIPES[name], samples=samples)


@pytest.mark.parametrize(
    "recipe", [SMALL, with_samples("W1", 1), with_samples("W1s", 1)], ids=lambda r: r.name
)
def test_the_dialect_is_the_step_that_is_published(recipe: Recipe) -> None:
    workload = workloads.draw(recipe)
    run = simulate(workload.network, workload.batch.take([0]))
    counts, readout = step_by_step(workload)
    assert counts.sum(axis=0).min() > 0
    np.testing.assert_array_equal(run.counts.spikes[0, :, 1:-1], counts)
    np.testing.assert_array_equal(run.outputs[0, -1], readout)


@pytest.mark.parametrize("name", RECIPES)
def test_sizes_and_activity(name: str) -> None:
    events, density, synaptic = PUBLISHED[name]
    workload = workloads.make(name, 2)
    run = compile(workload.network, engine="plain").run(workload.batch)
    means = run.counts.per_inference()
    assert means["input_events"] == events
    if density is not None:
        cells = workload.recipe.steps * workload.network.populations[0].size
        assert events / cells == pytest.approx(density, rel=0.01)
        assert means["synaptic_events"] == pytest.approx(synaptic * 1e6, rel=0.03)
    if name == "W1":
        assert run.counts.spikes[:, :, 1].mean() / 256 == pytest.approx(0.052, abs=0.001)


@pytest.mark.parametrize("name", RECIPES)
def test_weights_lie_on_the_grid_and_no_cell_spikes_twice(name: str) -> None:
    workload = workloads.make(name, 1)
    for projection in workload.network.projections:
        units = projection.weight * workload.recipe.grid
        np.testing.assert_array_equal(units, np.round(units))
    batch = workload.batch
    cells = [(t, n) for t in range(batch.steps) for n in batch.row(0, t).tolist()]
    assert len(set(cells)) == len(cells) == workload.recipe.events


def test_the_same_at_every_call() -> None:
    one, other = workloads.make("W1", 2), workloads.make("W1", 2)
    assert one.batch.sha256() == other.batch.sha256()
    for a, b in zip(one.network.projections, other.network.projections, strict=True):
        np.testing.assert_array_equal(a.weight, b.weight)


def test_peers_read_what_was_written(tmp_path: Path) -> None:
    workload = workloads.draw(SMALL)
    activity = exchange.export(workload, tmp_path / "small.npz")
    task = protocol.read(tmp_path / "small.npz")
    assert activity.input_events == SMALL.events
    assert (task.steps, task.shape, len(task.layers)) == (SMALL.steps, SMALL.shape, 3)
    assert [layer.pool for layer in task.layers] == [2, 1, 2]
    counts, readout = step_by_step(workload)
    np.testing.assert_array_equal(task.spikes[0], counts)
    np.testing.assert_array_equal(task.readout[0], readout)
    frames = task.frames(3)  # the third repeats the first
    assert frames.shape == (SMALL.steps, 3, 512)
    assert frames.sum() == 3 * SMALL.events
    np.testing.assert_array_equal(frames[:, 2], frames[:, 0])
    for t in range(SMALL.steps):
        np.testing.assert_array_equal(np.flatnonzero(frames[t, 1]), np.sort(workload.batch.row(1, t)))


def test_the_plain_brunel_simulation_is_the_engine_in_float64() -> None:
    drawn = brunel_workload.draw(150, poisson=False)
    fired = brunel_workload.simulate(drawn, duration_ms=100.0)
    run = compile_sparse(drawn.network, seed=brunel_workload.SEED, arithmetic="double").run(1000)
    assert fired.sum() > 100
    np.testing.assert_array_equal(np.bincount(run.steps, minlength=1000), fired)
