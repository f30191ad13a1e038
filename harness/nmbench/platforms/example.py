"""A small network and samples for it, on which platforms are checked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.network.dialect import Dialect
from nmbench.network.network import Dynamics, Network, Population, Projection
from nmbench.spikes import SpikeBatch

DT_S = 1e-3
SAMPLES, STEPS, INPUTS, HIDDEN, CLASSES = 6, 9, 8, 7, 3


def example_network() -> Network:
    """Return a feed-forward network with excitatory weights alone: more spikes in, not fewer out."""
    rng = np.random.default_rng(1)

    def weight(pre: int, post: int) -> npt.NDArray[np.float32]:
        return rng.uniform(0.1, 0.6, (pre, post)).astype(np.float32)

    return Network(
        populations=(
            Population("in", "Input", (INPUTS,), None),
            Population("hidden", "CubaLIF", (HIDDEN,), _dynamics(HIDDEN, spiking=True)),
            Population("out", "LI", (CLASSES,), _dynamics(CLASSES, spiking=False)),
        ),
        projections=(
            Projection("in-hidden", 0, 1, "dense", weight(INPUTS, HIDDEN)),
            Projection("hidden-out", 1, 2, "dense", weight(HIDDEN, CLASSES)),
        ),
        output=2,
        dialect=Dialect(dt=DT_S),
        sha256="0" * 64,
    )


def example_batch(rate: float = 0.2) -> SpikeBatch:
    """Return samples for the example network; a higher rate keeps all the spikes of a lower one."""
    present = np.random.default_rng(2).random((SAMPLES * STEPS, INPUTS)) < rate
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
    return SpikeBatch(DT_S, STEPS, (INPUTS,), offsets, np.nonzero(present)[1].astype(np.int32))


def _dynamics(n: int, *, spiking: bool) -> Dynamics:
    def full(value: float) -> npt.NDArray[np.float32]:
        return np.full(n, value, np.float32)

    return Dynamics(
        syn_decay=full(0.5),
        syn_gain=full(1),
        mem_decay=full(0.9),
        mem_gain=full(0.5),
        leak=full(0),
        bias=full(0),
        threshold=full(1),
        v_reset=full(0),
        spiking=spiking,
    )
