"""How large a torch model is: what was learned, and the synapses that exist."""

from __future__ import annotations

from nmbench.training.model import ConvSynapses, DenseSynapses, Net


def parameters(net: Net) -> int:
    """Count what was learned: synapses that exist, biases, norms and time constants."""
    absent = sum(
        int((layer.synapses.mask == 0).sum())
        for layer in net.stack
        if isinstance(layer.synapses, DenseSynapses)
    )
    return sum(p.numel() for p in net.parameters()) - absent


def synapses(net: Net) -> int:
    """Count the weights that exist, shared ones once."""
    total = net.readout.weight.numel()
    for layer in net.stack:
        exist = layer.synapses
        total += exist.weight.numel() if isinstance(exist, ConvSynapses) else int(exist.mask.sum())
        total += 0 if layer.recurrent is None else layer.recurrent.numel()
    return total
