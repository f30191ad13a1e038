"""The oracle against closed forms, hand counts and the traces that other platforms published."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import nir
import numpy as np
import pytest
from random_networks import chain, conv2d, input_, output

from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir
from nmbench.simulator.engine import compile
from nmbench.simulator.reference import simulate
from nmbench.spikes import SpikeBatch

DATA = Path(os.environ.get("NMBENCH_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "nir"


def golden(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there; set NMBENCH_TEST_DATA to the folder that holds nir/")
    return path


def one(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def spikes_at(steps: int, *events: tuple[int, int], n: int = 1, dt_s: float = 1e-3) -> SpikeBatch:
    """One sample of ``(step, neuron)`` events."""
    events = tuple(sorted(events))
    offsets = np.searchsorted([t for t, _ in events], np.arange(steps + 1))
    index = np.array([i for _, i in events], np.int32)
    return SpikeBatch(dt_s, steps, (n,), offsets.astype(np.int64), index)


@pytest.mark.parametrize("current", [0.8, 1.01, 1.5, 7.0])
def test_lif_fires_at_the_rate_of_the_closed_form(current: float) -> None:
    """Gerstner & Kistler 2002, eq. 4.9: T = tau ln(RI / (RI - theta)) from v = 0."""
    tau, r, dt = 20e-3, 2.0, 1e-4
    neuron = nir.LIF(tau=one(tau), r=one(r), v_leak=one(0), v_threshold=one(2), v_reset=one(0))
    graph = chain(input_(1), nir.Affine(one(0).reshape(1, 1), one(current)), neuron, output(1))
    run = simulate(lower(graph, Dialect(dt=dt, integrator="exponential"), ""), spikes_at(5000, dt_s=dt))
    fired = np.flatnonzero(run.outputs[0, :, 0]) + 1
    if r * current <= 2:
        assert len(fired) == 0
        return
    period = int(np.ceil(tau / dt * np.log(r * current / (r * current - 2))))
    np.testing.assert_array_equal(fired, np.arange(period, 5001, period))


@pytest.mark.parametrize("integrator", ["exponential", "exponential_decay_euler_gain", "euler"])
def test_cuba_li_impulse_response(integrator: str) -> None:
    """The difference of exponentials that the equations give in continuous time, as dt becomes small."""
    tau_syn, tau_mem, r, w_in, weight, dt = 5e-3, 20e-3, 3.0, 2.0, 0.5, 2e-5
    neuron = nir.CubaLI(tau_syn=one(tau_syn), tau_mem=one(tau_mem), r=one(r), v_leak=one(0), w_in=one(w_in))
    graph = chain(input_(1), nir.Linear(one(weight).reshape(1, 1)), neuron, output(1))
    run = simulate(lower(graph, Dialect(dt=dt, integrator=integrator), ""), spikes_at(2500, (0, 0), dt_s=dt))
    t = np.arange(2500) * dt
    # a spike is a pulse of the height 1 that lasts one step
    charge = weight * w_in * r * dt / (tau_mem - tau_syn)
    expected = charge * (np.exp(-t / tau_mem) - np.exp(-t / tau_syn))
    np.testing.assert_allclose(run.outputs[0, :, 0], expected, atol=expected.max() * 0.01)


def test_the_last_current_arrives_one_step_late() -> None:
    neuron = nir.CubaLI(tau_syn=one(4e-3), tau_mem=one(9e-3), r=one(1), v_leak=one(0), w_in=one(1))
    graph = chain(input_(1), nir.Linear(one(1).reshape(1, 1)), neuron, output(1))
    batch = spikes_at(30, (2, 0), (2, 0), (5, 0))
    now, late = (
        simulate(lower(graph, Dialect(dt=1e-3, order=order), ""), batch).outputs[0, :, 0]
        for order in ("synapse_membrane_threshold", "membrane_synapse_threshold")
    )
    np.testing.assert_array_equal(late[1:], now[:-1])
    assert now[2] > 0


@pytest.mark.parametrize("shift", [0, 1])
def test_output_delay_and_delay_shift_the_answer(shift: int) -> None:
    neuron = nir.LI(tau=one(5e-3), r=one(1), v_leak=one(0))
    delay = nir.Delay(one(3e-3))
    graph = chain(input_(1), delay, nir.Linear(one(1).reshape(1, 1)), neuron, output(1))
    run = simulate(lower(graph, Dialect(dt=1e-3, output_delay=shift), ""), spikes_at(10, (1, 0), (8, 0)))
    answer = run.outputs[0, :, 0]
    assert np.flatnonzero(answer)[0] == 1 + 3 + shift
    np.testing.assert_array_equal(np.flatnonzero(run.counts.synaptic_events[0, :, 0]), [4])


def test_reset_floor_and_tie() -> None:
    """An integrator with threshold 1 under inputs of 1, 1.5 and -2, by hand."""
    neuron = nir.IF(r=one(1000), v_threshold=one(1), v_reset=one(0.25))
    graph = chain(input_(3), nir.Linear(np.array([[1, 1.5, -2]])), neuron, output(1))
    batch = spikes_at(6, (0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (5, 1), n=3)

    def fired(**switches) -> list[int]:
        run = simulate(lower(graph, Dialect(dt=1e-3, **switches), ""), batch)
        return np.flatnonzero(run.outputs[0, :, 0]).tolist()

    assert fired() == [1, 5]  # 1, 2.5 -> .25, -1.75, -.75, .75, 2.25
    assert fired(tie="ge") == [0, 1, 5]  # 1 -> .25, 1.75 -> .25, -1.75, -.75, .75, 2.25
    assert fired(v_floor=0.0) == [1, 4, 5]  # 1, 2.5 -> .25, 0, 1, 2.5 -> .25, 1.75
    assert fired(reset="subtract") == [1, 4, 5]  # 1, 2.5 -> 1.75, -.25, .75, 2.25 -> 1.5, 3


def integrate(inputs: list[float], **switches) -> tuple[list[float], list[float]]:
    """Return the spikes and the membrane of an integrator with threshold 1 that resets to 0."""
    neuron = nir.IF(r=one(1000), v_threshold=one(1), v_reset=one(0))
    graph = chain(input_(len(inputs)), nir.Linear(np.array([inputs])), neuron, output(1))
    batch = spikes_at(len(inputs), *((t, t) for t in range(len(inputs))), n=len(inputs))
    membranes = np.empty((1, len(inputs), 1), np.float32)
    run = simulate(lower(graph, Dialect(dt=1e-3, **switches), ""), batch, membranes)
    return run.outputs[0, :, 0].tolist(), membranes[0, :, 0].tolist()


def test_a_late_reset_replaces_or_lowers_the_next_membrane() -> None:
    assert integrate([2.5, 3, 3]) == ([1, 1, 1], [0, 0, 0])
    assert integrate([2.5, 3, 3], reset_delay=1) == ([1, 0, 1], [2.5, 0, 3])
    assert integrate([2.5, 0, 0], reset_delay=1, reset="subtract") == ([1, 1, 0], [2.5, 1.5, 0.5])


def test_a_repeated_reset_is_a_lower_potential_under_test() -> None:
    """Leaky of snnTorch with reset_mechanism "subtract" and reset_delay False: its code, followed by hand."""
    assert integrate([2.5, 0, 1], reset="subtract") == ([1, 1, 1], [1.5, 0.5, 0.5])
    assert integrate([2.5, 0, 1], reset="subtract", rereset=True) == ([1, 0, 1], [1.5, 1.5, 1.5])


def test_several_spikes_a_step_are_as_many_as_thresholds_fit() -> None:
    several = {"multispike": True, "reset": "subtract"}
    assert integrate([2.5, 0.5, 3], **several, tie="ge") == ([2, 1, 3], [0.5, 0, 0])
    assert integrate([2.5, 0.5, 3], **several) == ([2, 0, 3], [0.5, 1, 1])
    assert integrate([2.5, 0.5, 3], multispike=True) == ([2, 0, 3], [0, 0.5, 0])
    assert integrate([2.5, 0.5, 0], **several, tie="ge", reset_delay=1) == ([2, 1, 0], [2.5, 1, 0])


def test_the_floor_may_be_the_threshold_below_zero() -> None:
    assert integrate([-3, 1.5, 1], v_floor="-v_threshold") == ([0, 0, 1], [-1, 0.5, 0])


def test_several_spikes_count_as_several_events() -> None:
    neuron = nir.IF(r=one(1000), v_threshold=one(1), v_reset=one(0))
    graph = chain(
        input_(1), nir.Linear(one(3).reshape(1, 1)), neuron, nir.Linear(np.array([[0.5], [0], [0.25]])),
        nir.I(r=np.full(3, 1000.0)), output(3),
    )  # fmt: skip
    dialect = Dialect.preset("sinabs", 1e-3)
    run = simulate(lower(graph, dialect, ""), spikes_at(2, (0, 0)))
    np.testing.assert_array_equal(run.outputs[0], [[1.5, 0, 0.75]] * 2)
    assert run.counts.spikes[0, :, 1].tolist() == [3, 0]
    assert run.counts.synaptic_events[0].tolist() == [[1, 6], [0, 0]]


def test_a_threshold_spikes_where_its_input_exceeds_it_and_keeps_nothing() -> None:
    graph = chain(input_(2), nir.Linear(np.array([[1, 0.5]])), nir.Threshold(one(1)), output(1))
    batch = spikes_at(5, (0, 0), (1, 1), (2, 0), (2, 1), (3, 1), n=2)
    for switches in ({}, {"reset_delay": 1}, {"reset": "subtract", "multispike": True}, {"v_floor": -1.0}):
        run = simulate(lower(graph, Dialect(dt=1e-3, **switches), ""), batch)
        np.testing.assert_array_equal(run.outputs[0, :, 0], [0, 0, 1, 0, 0])


def test_a_bias_behind_a_delay_begins_late() -> None:
    affine = nir.Affine(one(0).reshape(1, 1), one(1))
    graph = chain(input_(1), affine, nir.Delay(one(2e-3)), nir.I(r=one(1000)), output(1))
    run = simulate(lower(graph, Dialect(dt=1e-3), ""), spikes_at(5))
    np.testing.assert_array_equal(run.outputs[0, :, 0], [0, 0, 1, 2, 3])


def test_float64_is_not_rounded_to_float32() -> None:
    graph = chain(input_(1), nir.Linear(one(1 + 2**-40).reshape(1, 1)), nir.I(r=one(1000)), output(1))
    run = simulate(lower(graph, Dialect(dt=1e-3, dtype="float64"), ""), spikes_at(1, (0, 0)))
    assert run.outputs.dtype == np.float64 and run.outputs[0, 0, 0] == 1 + 2**-40


def test_counts_by_hand() -> None:
    """Two spikes of one input count twice, a zero weight never, a border pixel its targets on the map."""
    identity = nir.IF(r=np.full((1, 3, 3), 1000.0), v_threshold=np.full((1, 3, 3), 100.0))
    kernel = np.ones((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0, 0] = 0
    graph = chain(input_(1, 3, 3), conv2d(kernel, padding=(1, 1)), identity, output(1, 3, 3))
    batch = replace(spikes_at(3, (0, 0), (0, 0), (1, 4), (2, 8), n=9), shape=(1, 3, 3))
    counts = simulate(lower(graph, Dialect(dt=1e-3), ""), batch).counts
    # corner (0, 0) reaches 4 targets, through taps (1,1) (1,0) (0,1) (0,0): the last is zero
    np.testing.assert_array_equal(counts.synaptic_events[0, :, 0], [2 * 3, 8, 4])
    np.testing.assert_array_equal(counts.spikes[0], [[2, 0], [1, 0], [1, 0]])
    np.testing.assert_array_equal(counts.neuron_updates[0], [[0, 9]] * 3)
    np.testing.assert_array_equal(counts.dense_macs, [81])


NORSE = Dialect.preset("norse", 1e-4)

TRACES = {
    # preset, the unit of the recorded membrane in V, and the largest difference of membranes, V
    "norse": ("norse", 1, 5e-8),
    "snntorch": ("snntorch", 0.04, 5e-8),
    "spyx": ("spyx", 1, 0),
    "sinabs": ("sinabs", 1, 0),
    "rockpool": ("rockpool", 1, 5e-9),
    "nengo": ("nengo", 0.1, 2e-8),
    "lava_cpu_float": ("lava", 1, 1e-8),
    "spinnaker2": ("spinnaker2", 0.04, 2e-5),
    "lava_cpu_fixed": ("loihi", 1 / 16_000, 1e-3),
    "lava_loihi_fixed": ("loihi", 1 / 16_000, 1e-3),
}
"""Published traces of one LIF neuron (threshold 0.1 V): `docs/dialects.md` says where they differ and why."""


def trace(name: str) -> np.ndarray:
    """Return a published trace: input, membrane and spike by step."""
    return np.loadtxt(golden(f"lif_{name}.csv"), delimiter=",")


def lif_batch(inputs: np.ndarray) -> SpikeBatch:
    return spikes_at(len(inputs), *((int(t), 0) for t in np.flatnonzero(inputs)), dt_s=1e-4)


@pytest.mark.parametrize("name", TRACES)
def test_a_published_trace_is_reproduced(name: str) -> None:
    preset, unit, tolerance = TRACES[name]
    graph, sha256 = read_nir(golden("lif_norse.nir"))
    published, dialect = trace(name), Dialect.preset(preset, 1e-4)
    network, batch = lower(graph, dialect, sha256), lif_batch(published[:, 0])
    membranes = np.empty((1, len(published), 1), np.float32)
    run = simulate(network, batch, membranes)
    np.testing.assert_array_equal(run.outputs[0, :, 0], published[:, 2])
    assert run.counts.spikes[0, :, 1].sum() == published[:, 2].sum() == 4
    np.testing.assert_array_equal(compile(network).run(batch).outputs, run.outputs)
    # Lava's membrane comes a step late, too; Spyx's does not. Where a chip spikes, its probe reads a counter
    late = 1 if preset in ("lava", "loihi") else 0
    membrane = np.concatenate([np.zeros(late), membranes[0, : len(published) - late, 0]])
    readable = published[:, 2] == 0 if name == "lava_loihi_fixed" else slice(None)
    difference = np.abs(membrane - unit * published[:, 1])[readable].max()
    assert difference <= tolerance


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-8), ("float64", 1e-12)])
def test_the_closed_form_is_reproduced_up_to_the_first_spike(dtype: str, tolerance: float) -> None:
    """``lif_exact.csv`` resets within a step and integrates on; whoever has steps loses that remainder."""
    graph, sha256 = read_nir(golden("lif_norse.nir"))
    published = trace("exact")
    membranes = np.empty((1, len(published), 1), dtype)
    dialect = Dialect(dt=1e-4, integrator="exponential", dtype=dtype)
    run = simulate(lower(graph, dialect, sha256), lif_batch(published[:, 0]), membranes)
    np.testing.assert_array_equal(run.outputs[0, :, 0], published[:, 2])
    first = int(np.flatnonzero(published[:, 2])[0])
    assert np.abs(membranes[0, :first, 0] - published[:first, 1]).max() <= tolerance


def test_the_braille_network_runs_alike_on_kernel_and_reference() -> None:
    graph, sha256 = read_nir(golden("braille_noDelay_bias_zero.nir"))
    network = lower(graph, NORSE, sha256)
    assert [p.size for p in network.populations] == [12, 38, 7]
    assert {(q.name, q.delay) for q in network.projections} == {("fc1", 0), ("lif1.w_rec", 1), ("fc2", 0)}
    # its weights lie on no grid: rounded to one, sums are exact in any order
    exact = tuple(replace(q, weight=np.round(q.weight * 1024) / 1024) for q in network.projections)
    network = replace(network, projections=exact)
    rng = np.random.default_rng(0)
    batch = spikes_at(
        200,
        *zip(rng.integers(0, 200, 400).tolist(), rng.integers(0, 12, 400).tolist(), strict=True),
        n=12,
        dt_s=1e-4,
    )
    a, b = simulate(network, batch), compile(network).run(batch)
    np.testing.assert_array_equal(a.outputs, b.outputs)
    np.testing.assert_array_equal(a.counts.spikes, b.counts.spikes)
    assert a.counts.spikes[:, :, 1:].sum() > 0
