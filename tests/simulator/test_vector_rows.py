"""Rows of weights in the vector engine: functions compiled for one network, and proofs for whole numbers."""

from __future__ import annotations

import dataclasses
import gc
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import DT_S

from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Network, Population, Projection
from nmbench.simulator.engine import compile
from nmbench.simulator.reference import simulate
from nmbench.simulator.vector import coverage
from nmbench.simulator.vector.compiled import ascending
from nmbench.simulator.vector.engine import Vector
from nmbench.simulator.vector.grid import INT16, Width, distinct_rows
from nmbench.spikes import SpikeBatch

pytestmark = pytest.mark.skipif(coverage.lacking() is not None, reason=str(coverage.lacking()))


def population(name: str, size: int, spiking: bool, threshold: float = 1.0) -> Population:
    values = {"syn_decay": 0.0, "syn_gain": 1.0, "mem_decay": 0.875, "mem_gain": 1.0, "leak": 0.0}
    values |= {"bias": 0.0, "threshold": threshold if spiking else np.inf, "v_reset": 0.0}
    law = Dynamics(**{k: np.full(size, v, np.float32) for k, v in values.items()}, spiking=spiking)
    return Population(name, "LIF" if spiking else "LI", (size,), law)


def layers(
    rng: np.random.Generator, sizes: list[int], largest: int, dialect: Dialect, spiking: bool = False
) -> Network:
    """Dense layers, all but the last recurrent, with weights on grids that differ from one to the next."""
    populations = [Population("in", "Input", (sizes[0],), None)]
    projections = []

    def weight(rows: int, columns: int, step: float) -> np.ndarray:
        drawn = np.clip(np.round(rng.normal(0, largest / 3, (rows, columns))), -largest, largest)
        return (drawn * (rng.random(drawn.shape) < 0.9) * step).astype(np.float32)

    for k, size in enumerate(sizes[1:], start=1):
        last = k == len(sizes) - 1
        populations.append(population(f"p{k}", size, spiking or not last))
        step = 2.0 ** (-int(np.log2(largest * np.sqrt(sizes[k - 1] / 8))) - 1)
        projections.append(Projection(f"w{k}", k - 1, k, "dense", weight(sizes[k - 1], size, step)))
        if not last:
            inner = weight(size, size, step / 4)
            projections.append(Projection(f"r{k}", k, k, "dense", inner, delay=1 + k % 3))
    return Network(tuple(populations), tuple(projections), len(sizes) - 1, dialect, "0" * 64)


def batch(rng: np.random.Generator, size: int, steps: int, order: str, samples: int = 2) -> SpikeBatch:
    """Spikes of each step in order, in order with one that comes ten times, or in no order."""
    rows = []
    for _ in range(samples * steps):
        row = np.flatnonzero(rng.random(size) < rng.choice([0.0, 0.1, 0.8]))
        if order == "repeated" and len(row):
            row = np.sort(np.append(row, [rng.choice(row)] * 9))
        rows.append(rng.permutation(row) if order == "none" else row)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return SpikeBatch(DT_S, steps, (size,), offsets, np.concatenate(rows).astype(np.int32))


def assert_equals_reference(network: Network, samples: SpikeBatch, width: Width) -> None:
    run, expected = compile(network, "vector", width).run(samples), simulate(network, samples)
    np.testing.assert_array_equal(run.outputs, expected.outputs)
    np.testing.assert_array_equal(run.counts.spikes, expected.counts.spikes)
    np.testing.assert_array_equal(run.counts.synaptic_events, expected.counts.synaptic_events)


@pytest.mark.parametrize("order", ["ascending", "repeated", "none"])
@pytest.mark.parametrize(
    ("width", "largest"), [("float32", 255), ("int16", 4000), ("int16", 8191), ("int8", 127)]
)
@pytest.mark.parametrize("sizes", [[40, 256, 20], [90, 257, 16, 33], [30, 300, 1]], ids=str)
def test_layers_of_all_widths_equal_the_reference(
    sizes: list[int], width: Width, largest: int, order: str
) -> None:
    """One chunk and two, registers that are full and half empty, more rows than int16 sums hold at once."""
    rng = np.random.default_rng(sizes[1] + largest)
    dialect = Dialect(dt=DT_S, reset="subtract" if sizes[1] == 256 else "to_v_reset")
    network = layers(rng, sizes, largest, dialect)
    assert Vector(network, width)._layout.sample, "rows alone: one function runs a sample"
    samples = batch(rng, sizes[0], 14, order)
    run = simulate(network, samples)
    assert run.counts.spikes[:, :, 1:-1].sum() > 50, "silent layers would prove nothing"
    assert_equals_reference(network, samples, width)


@pytest.mark.parametrize("width", ["float32", "int16"])
@pytest.mark.parametrize("change", ["late", "spiking output", "law of each neuron"])
def test_what_is_no_case_for_one_function_runs_step_by_step(change: str, width: Width) -> None:
    rng = np.random.default_rng(3)
    dialect = Dialect(dt=DT_S, output_delay=1 if change == "late" else 0)
    network = layers(rng, [50, 270, 12], 1000, dialect, spiking=change == "spiking output")
    if change == "law of each neuron":
        hidden = network.populations[1]
        assert hidden.dynamics is not None
        decay = np.linspace(0.5, 0.9, hidden.size, dtype=np.float32)
        own = dataclasses.replace(hidden, dynamics=dataclasses.replace(hidden.dynamics, mem_decay=decay))
        network = dataclasses.replace(
            network, populations=(network.populations[0], own, *network.populations[2:])
        )
    assert not Vector(network, width)._layout.sample
    assert_equals_reference(network, batch(rng, 50, 12, "ascending"), width)


def test_more_spikes_in_a_step_than_int32_sums_hold_are_summed_in_float32() -> None:
    coarse = Projection("w", 0, 1, "dense", np.full((2, 3), 8191, np.float32))
    fine = Projection("r", 1, 1, "dense", np.full((3, 3), 2.0**-16, np.float32), delay=1)
    for spiking in (False, True):
        last = population("out", 3, spiking, threshold=1e9)
        own = (coarse,) if not spiking else (coarse, fine)
        made = Network((Population("in", "Input", (2,), None), last), own, 1, Dialect(dt=DT_S), "0" * 64)
        for times in (3, 5):
            index = np.zeros(times, np.int32)
            samples = SpikeBatch(DT_S, 2, (2,), np.array([0, 0, times, times, times]), index)
            assert_equals_reference(made, samples, "int16")


def test_compiled_functions_end_as_well_in_a_cycle() -> None:
    """As a failed run's frames make one: the interpreter died of it."""
    for seed in range(20):
        network = layers(np.random.default_rng(seed), [10, 20, 3], 127, Dialect(dt=DT_S))
        cycle: list[object] = [Vector(network, "int8")]
        cycle.append(cycle)
        del cycle
        gc.collect()


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_no_choice_of_so_many_distinct_rows_overflows_and_one_of_one_more_does(rows: int, seed: int) -> None:
    weight = np.random.default_rng(seed).integers(-20000, 20001, (rows, 3)).astype(np.float32) / 64
    held = distinct_rows(weight, -6)
    whole = (weight * 64).astype(np.int64)

    def largest(n: int) -> int:
        return max(
            int(np.abs(whole[list(chosen)].sum(axis=0)).max()) for chosen in combinations(range(rows), n)
        )

    assert all(largest(n) <= INT16 for n in range(1, held + 1))
    if held < rows:
        positive, negative = (np.sort(sign * whole, axis=0)[::-1].clip(0) for sign in (1, -1))
        assert max(positive[: held + 1].sum(axis=0).max(), negative[: held + 1].sum(axis=0).max()) > INT16


@given(st.lists(st.lists(st.integers(0, 60), max_size=40), min_size=1, max_size=6), st.booleans())
@settings(max_examples=200, deadline=None)
def test_ascending(rows: list[list[int]], tidy: bool) -> None:
    if tidy:
        rows = [sorted(set(row)) for row in rows]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    index = np.array([spike for row in rows for spike in row], np.int32)
    expected = all(a < b for row in rows for a, b in pairwise(row))
    assert ascending(index.ctypes.data, offsets.ctypes.data, len(rows)) == expected
