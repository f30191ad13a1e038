"""A trained torch model as a NIR graph: batch norm folded, weights and biases on a power-of-two grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nir
import numpy as np
import numpy.typing as npt
from torch import Tensor

from nmbench.training.grid import BIAS_BITS, on_grid
from nmbench.training.model import TAU_S, ConvSynapses, DenseSynapses, Layer, Net

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


def export(net: Net, weight_bits: int, metadata: Mapping[str, str] = {}) -> nir.NIRGraph:
    """Return the network as NIR, in SI units; ``metadata`` goes into the graph as it is.

    Under the dialect ``nmbench`` at the model's ``dt`` it computes what the torch model does in evaluation
    mode, but for the rounding of weights and biases: ``w_in = tau_syn / dt`` makes the synapse's gain 1, and
    thresholds and resistances are 1. A layer's delays become branches ``Delay -> Linear`` into the same
    neurons; the bias stands in the first branch, behind its delay.
    """
    graph = _Graph()
    graph.add("input", nir.Input(np.array(net.input_shape)))
    before, shape = "input", net.input_shape
    for number, layer in enumerate(net.stack, start=1):
        if isinstance(layer.synapses, ConvSynapses):
            sources = [graph.add(f"synapses{number}", conv_node(layer.synapses, shape, weight_bits), before)]
        else:
            before, shape = graph.flat(before, shape)
            sources = _dense_branches(graph, layer.synapses, f"{number}", before, net.dt_s, weight_bits)
        before, shape = graph.add(f"neurons{number}", cuba_lif_node(layer), *sources), layer.shape
        if layer.recurrent is not None:
            weight = _array(on_grid(layer.recurrent, weight_bits))
            graph.edges.append((graph.add(f"recurrent{number}", nir.Linear(weight), before), before))
    before, _ = graph.flat(before, shape)
    weight = _array(on_grid(net.readout.weight, weight_bits))
    bias = _array(on_grid(net.readout.bias, BIAS_BITS))
    readout = nir.Affine(weight, bias)
    before = graph.add("synapses_readout", readout, before)
    before = graph.add("readout", li_node(net), before)
    graph.add("output", nir.Output(np.array([len(bias)])), before)
    return nir.NIRGraph(graph.nodes, graph.edges, metadata=dict(metadata))


@dataclass
class _Graph:
    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, node: Any, *sources: str) -> str:
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]
        return name

    def flat(self, before: str, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
        """Put a Flatten behind a population with rows and columns; its C-order is torch's too."""
        if len(shape) == 1:
            return before, shape
        node = nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1)
        return self.add(f"flatten_{before}", node, before), (int(np.prod(shape)),)


def _dense_branches(
    graph: _Graph, synapses: DenseSynapses, number: str, before: str, dt_s: float, bits: int
) -> list[str]:
    weight, bias = (_array(part) for part in synapses.rounded(bits))
    inputs = weight.shape[2]
    ends = []
    for branch, steps in enumerate(synapses.delays):
        source = before
        if steps:
            late = nir.Delay(np.full(inputs, steps * dt_s))
            source = graph.add(f"delay{number}_{steps}", late, before)
        part = np.ascontiguousarray(weight[:, branch])
        node = nir.Linear(part) if branch else nir.Affine(part, bias)
        ends.append(graph.add(f"synapses{number}_{steps}", node, source))
    return ends


def conv_node(synapses: ConvSynapses, shape: tuple[int, ...], bits: int) -> nir.Conv2d:
    """Return a convolution of spikes ``shape = (C, H, W)`` as NIR."""
    weight, bias = (_array(part) for part in synapses.rounded(bits))
    return nir.Conv2d(
        input_shape=(shape[1], shape[2]),
        weight=weight,
        stride=synapses.stride,
        padding=synapses.padding,
        dilation=1,
        groups=1,
        bias=bias,
    )


def cuba_lif_node(layer: Layer) -> nir.CubaLIF:
    """Return a layer's neurons as NIR, every parameter written out for every neuron."""
    tau_syn, tau_mem = (_tau(p, layer.shape) for p in (layer.log_tau_syn, layer.log_tau_mem))
    one, zero = np.ones(layer.shape), np.zeros(layer.shape)
    return nir.CubaLIF(
        tau_syn=tau_syn,
        tau_mem=tau_mem,
        r=one,
        v_leak=zero,
        v_threshold=one,
        v_reset=zero,
        w_in=tau_syn / layer.dt_s,
    )


def li_node(net: Net) -> nir.LI:
    """Return the readout as NIR."""
    tau = _tau(net.log_tau_readout, (net.readout.out_features,))
    return nir.LI(tau=tau, r=np.ones(tau.shape), v_leak=np.zeros(tau.shape))


def _array(values: Tensor) -> Floats:
    made: Floats = np.ascontiguousarray(values.detach().cpu().numpy())
    return made


def _tau(log_tau: Any, shape: tuple[int, ...]) -> Doubles:
    tau: Doubles = np.exp(np.clip(log_tau.detach().cpu().double().numpy(), *np.log(TAU_S)))
    return np.ascontiguousarray(np.broadcast_to(tau, shape))
