"""How fast the cost models are: a store of results priced again, and Hala Point's network mapped.

The shapes are those of the suite `temporal`; counts are random, since no price depends on where they come
from. ``extra_info`` says how much was done; nothing is read from or written to a disk.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np

from nmbench.counts import EventCounts
from nmbench.energy.card import card_names, load_card
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping
from nmbench.energy.models import MODELS, price
from nmbench.energy.outline import Group, Link, Outline, outline
from nmbench.energy.stored import Counted
from nmbench.network.connectivity import dense_macs
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir
from nmbench.platforms.modelled import modelled
from nmbench.record import NetworkId, Noise, PlatformId, Result, Software, WorkloadId
from nmbench.registry import SUITES, read_suite
from nmbench.reprice import Repricer
from nmbench.scenario.log import Log

STORED = 10_000
SAMPLES = {"digits-saccade": 360, "gesture": 198, "spoken-digits": 1280}
"""Samples of the test sets of the suite `temporal`."""

MODELLED = [name for name in card_names() if load_card(name).model in MODELS]


@cache
def counted(workload: str) -> Counted:
    """A workload's base network with made-up counts of its test set's shape."""
    found = {w.name: w for w in read_suite("temporal").workloads}[workload]
    path = SUITES / "temporal" / found.data["synthetic"].networks["base"]
    graph, sha256 = read_nir(path)
    network = lower(graph, found.dialect, sha256)
    rng, steps = np.random.default_rng(1), found.window.steps
    shape = (SAMPLES[workload], steps)
    sizes = np.array([p.size for p in network.populations])
    spikes = rng.binomial(sizes, 0.03, (*shape, len(sizes)))
    synapses = np.array([p.weight.size for p in network.projections])
    counts = EventCounts(
        tuple(p.name for p in network.populations),
        tuple(p.name for p in network.projections),
        spikes,
        np.broadcast_to(np.array([0, *sizes[1:]]), spikes.shape),
        rng.binomial(synapses, 0.03, (*shape, len(synapses))),
        dense_macs(network),
    )
    return Counted(outline(network), counts)


def stored(number: int) -> list[Result]:
    """Return results of every modelled platform on every workload, over and over."""
    kinds = [(w, p) for w in SAMPLES for p in MODELLED]
    return [_result(*kinds[i % len(kinds)]) for i in range(number)]


@cache
def _result(workload: str, platform: str) -> Result:
    return Result(
        id=f"20261124T000000Z-{workload}-{platform}-0000",
        run="run",
        cell="0" * 64,
        status="ok",
        suite="temporal",
        tier="quick",
        scenario="SingleStream",
        division="closed",
        workload=WorkloadId(
            name=workload, version=1, sha256="0" * 64, data="synthetic", source=workload, synthetic=True
        ),
        network=NetworkId(name="base", sha256="0" * 64, dialect=Dialect(dt=1e-3)),
        platform=PlatformId(name=platform, version=1, family="x", kind="modelled", origin="built in"),
        size="base",
        seed=0,
        system="sha256:0",
        counts_sha256=counted(workload).sha256,
        software=Software(nmbench="0", python="3", packages={}, commit=None, dirty=None),
        noise=Noise(load1=None, cpu_pressure=None),
        started="2026-11-24T00:00:00Z",
        wall_s=1.0,
    )


def no_log(sha256: str) -> Log:
    raise AssertionError("results of models have no log")


def test_ten_thousand_stored_results(benchmark) -> None:
    """Results that share counts and platform share their price: how many differ is said too."""
    results = stored(STORED)
    by_sha = {counted(w).sha256: counted(w) for w in SAMPLES}

    def run() -> list[Result]:
        repricer = Repricer(modelled, by_sha.__getitem__, no_log)
        return list(repricer.reprice(results, "again"))

    new = benchmark.pedantic(run, rounds=2)
    assert len(new) == STORED
    assert all(r.error or r.metrics for r in new)
    benchmark.extra_info |= {
        "results": STORED,
        "different": len(SAMPLES) * len(MODELLED),
        "cards": len(MODELLED),
        "load_before": os.getloadavg()[0],
    }


def test_ten_thousand_different_results(benchmark) -> None:
    """The equation alone, each time on other counts: one inference of 75 steps, without an interval."""
    counts = counted("gesture")
    card = load_card("loihi2")
    mapping = place(counts.outline, card)
    assert isinstance(mapping, Mapping)
    single = [counts.counts.take([i % len(counts.counts)]) for i in range(STORED)]
    benchmark.pedantic(lambda: [price(one, mapping, card) for one in single], rounds=2)
    benchmark.extra_info |= {"results": STORED, "load_before": os.getloadavg()[0]}


def test_mapping_hala_point(benchmark) -> None:
    """1.15e9 neurons and 1.28e11 synapses in 1,152 populations, each recurrent and one feeding the next."""
    populations, neurons, synapses = 1152, 1_150_000_000, 128_000_000_000
    size, each = neurons // populations, synapses // (2 * populations)
    groups = (Group("in", "Input", (1000,)), *(Group(f"p{i}", "LIF", (size,)) for i in range(populations)))
    links = [Link(f"r{i}", i, i, "dense", each, delay=1) for i in range(1, populations + 1)]
    links += [
        Link(f"f{i}", i - 1, i, "dense", each if i > 1 else 1000 * 100) for i in range(1, populations + 1)
    ]
    sizes = Outline(groups, tuple(links))
    card = load_card("hala-point-capacity")
    found = benchmark(lambda: place(sizes, card))
    assert isinstance(found, Mapping), found.reason
    assert found.chips == card.value("chips")
    benchmark.extra_info |= {
        "neurons": sizes.neurons,
        "chips": found.chips,
        "load_before": os.getloadavg()[0],
    }
