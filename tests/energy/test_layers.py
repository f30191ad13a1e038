"""Every kind of layer on every modelled platform: it is priced, or refused with the limit that it breaks."""

from __future__ import annotations

from itertools import pairwise

import nir
import numpy as np
import pytest

from nmbench.energy.card import card_names, load_card
from nmbench.energy.mapper import place
from nmbench.energy.mapping import Mapping, Misfit
from nmbench.energy.models import MODELS
from nmbench.energy.outline import Group, Link, Outline, outline
from nmbench.energy.split import Part, Storage, axons_in, destinations, synapse_bytes
from nmbench.network.connectivity import dense_macs, fan_out
from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.platforms.modelled import modelled
from nmbench.simulator.reference import simulate
from nmbench.spikes import SpikeBatch

PLATFORMS = {name: modelled(name) for name in card_names() if load_card(name).model in MODELS}


def lif(*shape: int) -> nir.LIF:
    ones = np.ones(shape)
    return nir.LIF(tau=0.01 * ones, r=20 * ones, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones)


def conv(out: int, inputs: int, **changes) -> nir.Conv2d:
    fields = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1, "bias": np.zeros(out)} | changes
    return nir.Conv2d(None, np.full((out, inputs, 3, 3), 0.5), **fields)


def chain(shape: tuple[int, ...], *nodes: nir.NIRNode) -> Network:
    named = {"in": nir.Input({"input": np.array(shape)})}
    named |= {f"n{k}": node for k, node in enumerate(nodes)} | {"out": nir.Output({"output": None})}
    return lower(nir.NIRGraph(named, list(pairwise(named)), type_check=False), Dialect(dt=1e-3), "")


def pool(kind: type) -> nir.NIRNode:
    return kind(np.full(2, 2), np.full(2, 2), np.zeros(2, int))


FLAT = nir.Flatten({"input": None}, 0)
CONV1D = nir.Conv1d(None, np.ones((6, 4, 5)), 2, 2, 1, 1, np.zeros(6))
NETWORKS = {
    "pool": chain((4, 12, 12), pool(nir.SumPool2d), lif(4, 6, 6)),
    "average pool before a convolution": chain((4, 12, 12), pool(nir.AvgPool2d), conv(8, 4), lif(8, 6, 6)),
    "groups": chain((4, 12, 12), conv(8, 2, groups=2), lif(8, 12, 12)),
    "depthwise": chain((4, 12, 12), conv(4, 1, groups=4), lif(4, 12, 12)),
    "dilation": chain((4, 12, 12), conv(8, 4, dilation=2, padding=2), lif(8, 12, 12)),
    "one dimension": chain((4, 30), CONV1D, lif(6, 15)),
    "flat behind a convolution": chain(
        (4, 12, 12), conv(2, 4), FLAT, lif(288), nir.Linear(np.ones((3, 288))), lif(3)
    ),
    "one to one": chain((5000,), lif(5000)),
    "threshold": chain((20,), nir.Linear(np.ones((5, 20))), nir.Threshold(np.ones(5))),
    "uneven delays": chain((20,), nir.Linear(np.ones((5, 20))), nir.Delay(np.arange(5) * 1e-3), lif(5)),
}


@pytest.mark.parametrize("layer", NETWORKS)
@pytest.mark.parametrize("name", PLATFORMS)
def test_every_layer_is_priced_or_refused_with_a_reason(name: str, layer: str) -> None:
    network, platform = NETWORKS[layer], PLATFORMS[name]
    rng, size = np.random.default_rng(0), network.populations[0].size
    index = rng.integers(0, size, 4 * size).astype(np.int32)
    batch = SpikeBatch(1e-3, 4, (size,), np.arange(0, 4 * size + 1, size), index)
    counts = simulate(network, batch).counts
    mapping = place(network, platform.card)
    if isinstance(mapping, Misfit):
        assert mapping.faults
        # only what those chips are known to lack
        assert (name, layer) in {
            ("akida", "uneven delays"),
            ("memristor-rram", "one to one"),
        } or "limit" in mapping.reason
        return
    assert isinstance(mapping, Mapping)
    assert mapping.cores >= 1
    cost = MODELS[platform.card.model].price(counts, mapping, platform.card)
    for terms in (cost.energy_j, cost.latency_s):
        for term in terms.values():
            assert np.isfinite(term.values).all() and (term.values >= 0).all()


@pytest.mark.parametrize("layer", NETWORKS)
def test_the_outline_counts_the_synapses_that_there_are(layer: str) -> None:
    network = NETWORKS[layer]
    for projection, link in zip(network.projections, outline(network).links, strict=True):
        assert link.synapses == fan_out(network, projection).sum()


def test_groups_without_zeros_are_full() -> None:
    sizes = outline(NETWORKS["groups"])
    assert sizes.density(sizes.links[0]) == 1


def linked(groups: int, dilation: int = 1) -> tuple[Outline, Link]:
    link = Link("c", 0, 1, "conv2d", 0, (3, 3), (1, 1), (1, 1), dilation=(dilation, dilation), groups=groups)
    sizes = Outline((Group("in", "Input", (8, 20, 20)), Group("c", "LIF", (16, 20, 20))), (link,))
    return sizes, link


def test_groups_are_fewer_weights_inputs_and_destinations() -> None:
    storage, part = Storage.of(load_card("loihi2")), Part(400, (4, 10, 10), 16, 400)
    (one, link), (four, grouped) = linked(1), linked(4)
    assert (one.stored_weights(link), four.stored_weights(grouped)) == (8 * 16 * 9, 8 * 16 * 9 // 4)
    assert (axons_in(one, link, part), axons_in(four, grouped, part)) == (8 * 144, 2 * 144)
    assert destinations(one, link, part) == 4 * destinations(four, grouped, part)
    whole, quarter = (synapse_bytes(sizes, line, part, storage)[0] for sizes, line in (linked(1), linked(4)))
    assert whole == 4 * quarter


def test_a_dilated_kernel_reads_as_far_as_it_spans() -> None:
    part = Part(400, (4, 10, 10), 16, 400)
    (narrow, link), (wide, dilated) = linked(1), linked(1, dilation=2)
    assert (axons_in(narrow, link, part), axons_in(wide, dilated, part)) == (8 * 12**2, 8 * 14**2)
    assert destinations(wide, dilated, part) > destinations(narrow, link, part)


def test_a_pool_takes_no_more_crossbar_tiles_than_one_matrix() -> None:
    mapping = place(NETWORKS["pool"], load_card("memristor-rram"))
    assert isinstance(mapping, Mapping)
    assert (mapping.routes[0].tiles, mapping.routes[0].positions) == ((1, 1), 36)


def test_folded_layers_cost_a_dense_engine_what_they_cost_apart() -> None:
    network = NETWORKS["average pool before a convolution"]
    assert dense_macs(network).tolist() == [4 * 36 * 4 + 8 * 4 * 9 * 36]
