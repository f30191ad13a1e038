from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.energy.card import load_card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping, Misfit, mesh
from nmbench.energy.outline import Group, Link, Outline, outline
from nmbench.energy.percore import core_counts
from nmbench.energy.split import Cuts, cuts, destinations
from nmbench.network.connectivity import fan_out

MANYCORE = ("loihi", "loihi2", "spinnaker", "spinnaker2")


def fitted(network: object, card: str, conditions: Conditions = USUAL) -> Mapping:
    mapping = place(network, load_card(card), conditions)  # type: ignore[arg-type]
    assert isinstance(mapping, Mapping), mapping
    return mapping


def refused(network: object, card: str) -> str:
    misfit = place(network, load_card(card))  # type: ignore[arg-type]
    assert isinstance(misfit, Misfit)
    return misfit.reason


@st.composite
def outlines(draw: st.DrawFn) -> Outline:
    """Draw a convolution or none, then dense layers of any density, then perhaps a loop."""
    groups = [
        Group("in", "Input", (draw(st.integers(1, 4)), draw(st.integers(3, 40)), draw(st.integers(3, 40))))
    ]
    links: list[Link] = []
    if draw(st.booleans()):
        stride = draw(st.integers(1, 2))
        rows, columns = (math.ceil(n / stride) for n in groups[0].shape[1:])
        groups.append(Group("conv", "LIF", (draw(st.integers(1, 16)), rows, columns)))
        synapses = groups[0].shape[0] * groups[1].shape[0] * 9 * rows * columns
        links.append(Link("conv", 0, 1, "conv2d", synapses, (3, 3), (stride, stride), (1, 1)))
    for _ in range(draw(st.integers(1, 3))):
        groups.append(Group(f"d{len(groups)}", "LIF", (draw(st.integers(1, 2000)),)))
        last = len(groups) - 1
        possible = groups[last - 1].size * groups[last].size
        links.append(Link(f"l{last}", last - 1, last, "dense", max(1, int(possible * draw(st.floats(0, 1))))))
    if draw(st.booleans()):
        links.append(tiny.full_link(tuple(groups), len(groups) - 1, len(groups) - 1, delay=1))
    return Outline(tuple(groups), tuple(links))


@pytest.mark.parametrize("name", MANYCORE)
@given(sizes=outlines())
@settings(max_examples=40, deadline=None)
def test_no_limit_is_exceeded(name: str, sizes: Outline) -> None:
    card = load_card(name)
    mapping = place(sizes, card)
    if isinstance(mapping, Misfit):
        assert mapping.faults
        assert "limit" in mapping.reason
        return
    assert mapping.cores <= mapping.chips * card.value("cores_per_chip")
    assert mapping.chips <= card.value("chips")
    for group, placement in zip(sizes.groups[1:], mapping.placements[1:], strict=True):
        assert placement.neurons_per_core <= card.value("neurons_per_core")
        assert placement.cores * placement.neurons_per_core >= group.size
        assert placement.cores <= group.size
        memory = card.limit("synapse_bytes_per_core") or card.limit("memory_bytes_per_core")
        if memory:
            assert placement.synapse_bytes <= placement.cores * memory
        assert placement.cores >= max(placement.cores_by_resource.values())
        assert placement.binding in placement.cores_by_resource
    out_limit = card.limit("axons_out_per_core")
    if out_limit:
        for index, placement in enumerate(mapping.placements[1:], 1):
            reached = sum(stream.destinations for stream in mapping.streams if stream.source == index)
            assert placement.neurons_per_core * reached <= out_limit * (1 + 1e-9)


@pytest.mark.parametrize("name", MANYCORE)
@given(sizes=st.lists(st.integers(1, 1500), min_size=2, max_size=4))
@settings(max_examples=25, deadline=None)
def test_twice_the_neurons_never_take_fewer_cores(name: str, sizes: list[int]) -> None:
    card = load_card(name)
    small, large = place(tiny.chain(*sizes), card), place(tiny.chain(*(2 * n for n in sizes)), card)
    if isinstance(large, Mapping):
        assert isinstance(small, Mapping)
        assert large.cores >= small.cores


@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), in_space=st.booleans())
@settings(max_examples=60, deadline=None)
def test_cuts_go_from_whole_to_single_neurons(shape: tuple[int, int, int], in_space: bool) -> None:
    ways = Cuts(shape, in_space)
    parts = [ways.part(way) for way in range(len(ways))]
    total = math.prod(shape)
    assert (parts[0].neurons, parts[0].cores) == (total, 1)
    assert (parts[-1].neurons, parts[-1].cores) == (1, total)
    for part, finer in pairwise(parts):
        assert part.neurons * part.cores >= total
        assert finer.cores >= part.cores
        assert finer.neurons <= part.neurons
    for limit in range(1, total + 1, 7):
        found = ways.first(lambda part, limit=limit: part.neurons <= limit)
        assert found == next(i for i, part in enumerate(parts) if part.neurons <= limit)


def test_outline_counts_synapses_as_the_simulator_does() -> None:
    for network in (tiny.mlp(), tiny.recurrent(), tiny.cnn()):
        for link, projection in zip(outline(network).links, network.projections, strict=True):
            assert link.synapses == fan_out(network, projection).sum()
    assert outline(tiny.cnn()).density(outline(tiny.cnn()).links[0]) == pytest.approx(1.0)


def test_outline_of_a_pruned_kernel() -> None:
    network = tiny.cnn()
    network.projections[0].weight[1:, 0] = 0
    link = outline(network).links[0]
    assert link.synapses == fan_out(network, network.projections[0]).sum()
    assert outline(network).density(link) == pytest.approx(5 / 8)


def test_spikes_reach_as_many_tiles_as_counted_one_by_one() -> None:
    """Destinations of a convolution, against every source position of a large map."""
    groups = (Group("in", "Input", (1, 60, 60)), Group("map", "LIF", (1, 60, 60)))
    link = Link("conv", 0, 1, "conv2d", 9 * 3600, (3, 3), (1, 1), (1, 1))
    sizes = Outline(groups, (link,))
    part = cuts(sizes, 1).part(50)  # 10 columns a core, 6 cores
    assert part.tile == (1, 60, 10)
    reached = [len({c // 10 for c in range(x - 1, x + 2) if 0 <= c < 60}) for x in range(60)]
    assert destinations(sizes, link, part) == pytest.approx(np.mean(reached), rel=0.03)


def test_dense_layers_bind_by_synapse_memory_and_wide_ones_by_neurons() -> None:
    deep = fitted(tiny.chain(1000, 1000), "loihi")
    # 1000 axons x (1 header + k words of 8 weights) in 16384 words: 15 words, 120 neurons a core
    assert deep.placements[1].binding == "synapse_bytes_per_core"
    assert deep.placements[1].cores == math.ceil(1000 / 120)
    wide = fitted(tiny.chain(2, 3000), "loihi")
    assert wide.placements[1].binding == "neurons_per_core"
    assert wide.placements[1].cores == 3


def test_output_axons_bind_where_a_layer_fans_out_to_many_cores() -> None:
    sizes = tiny.chain(2, 1000, 8000)
    mapping = fitted(sizes, "loihi")
    targets = mapping.placements[2].cores
    assert mapping.placements[1].binding == "axons_out_per_core"
    assert mapping.placements[1].neurons_per_core * targets <= 4096


def test_parallel_projections_share_their_messages_and_axons() -> None:
    """Five delays between two populations: a spike travels once and takes one axon."""
    groups = tiny.chain(3000, 50).groups
    split = tuple(Link(f"d{d}", 0, 1, "dense", 30_000, delay=d) for d in range(5))
    mapping = fitted(Outline(groups, split), "loihi")
    assert len(mapping.streams) == 1
    assert mapping.streams[0].destinations == pytest.approx(mapping.placements[1].cores, rel=1e-6)
    # 5 x 3000 axons would not fit; neither would 5 times the messages leave the source


def test_misfits_name_the_limit_and_by_how_much() -> None:
    assert (
        refused(tiny.chain(5000, 10), "loihi")
        == "p1: axons in per core: needs 5,000, the limit is 4,096 (904 too many)"
    )
    every = refused(tiny.chain(5000, 10, 4200, 10), "loihi")
    assert "p1: axons in" in every
    assert "p3: axons in" in every
    assert "chips: needs" in refused(tiny.chain(1, 200_000_000), "loihi")
    # 49 x 1 tiles and 2 x 1
    assert "crossbar tiles: needs 51, the limit is 48 (3 too many); p1 alone takes 49" in refused(
        tiny.chain(128 * 49, 200, 10), "memristor-rram"
    )
    assert "memory of the device" in refused(tiny.chain(60_000, 60_000), "gpu-jetson")
    assert "NPUs: needs" in refused(tiny.chain(5000, 5000, 10), "akida")


def test_akida_refuses_loops_and_delays() -> None:
    assert "1 recurrent of 3 projections" in refused(tiny.recurrent(), "akida")
    groups = tiny.chain(5, 5).groups
    late = Outline(groups, (tiny.full_link(groups, 0, 1, delay=2),))
    assert "1 delayed of 1 projections" in refused(late, "akida")
    assert fitted(tiny.mlp(), "akida").cores == 2


def test_input_cores_can_be_stated() -> None:
    assert fitted(tiny.chain(390, 10), "loihi").input_cores == 2  # as many as Blouw 2019 used
    assert fitted(tiny.chain(3000, 10), "loihi").input_cores == 12
    assert fitted(tiny.chain(390, 10), "loihi", Conditions(input_cores=8)).input_cores == 8


@given(routers=st.integers(1, 10_000))
def test_mesh_is_square_and_holds_all(routers: int) -> None:
    columns, rows = mesh(routers)
    assert routers <= columns * rows < routers + columns
    assert 0 <= columns - rows <= 1


def test_counts_are_those_of_the_fullest_core() -> None:
    network = tiny.mlp(inputs=10, hidden=2500, classes=3)
    mapping = fitted(network, "loihi")
    cores, fullest = mapping.placements[1].cores, mapping.placements[1].neurons_per_core
    assert fullest == math.ceil(2500 / cores) > 2500 / cores
    counts = tiny.counts(network, np.array([[[7, 11, 0]]]))
    busiest = core_counts(counts, mapping)
    assert busiest.updates[0, 0].tolist() == [0, fullest, 3]
    assert busiest.events[0, 0].tolist() == [7 * fullest, 33]
    assert busiest.messages_in[0, 0].tolist() == [0, 7, 11]
    assert busiest.messages_out[0, 0].tolist() == [0, math.ceil(11 * fullest / 2500), 0]
    assert busiest.spikes[0, 0].tolist() == [0, math.ceil(11 * fullest / 2500), 0]


def test_a_tiled_map_keeps_its_fullest_core_busy() -> None:
    """PilotNet's second layer: 12 tiles of 4 columns and one of a single column, not 13 equal parts."""
    sizes = tiny.pilotnet_sdnn()
    counts = tiny.outline_counts(sizes, 1, {group.name: 0.1 for group in sizes.groups})
    busiest = core_counts(counts, fitted(sizes, "loihi2"))
    assert busiest.updates[0, 0, 1:6].tolist() == [3072, 2160, 2688, 2048, 2048]
    into_second = counts.synaptic_events[0, 0, 1]
    assert busiest.events[0, 0, 1] == math.ceil(into_second * 4 / 49)
