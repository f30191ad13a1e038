"""The smallest platform keeps the contract that it is an example of."""

from __future__ import annotations

import nir
import numpy as np

from nmbench.network.dialect import Dialect
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.platforms.dummy import Dummy
from nmbench.spikes import SpikeBatch


def network() -> Network:
    nodes = {
        "in": nir.Input({"input": np.array([5])}),
        "w": nir.Linear(np.ones((4, 5))),
        "n": nir.LI(tau=np.ones(4), r=np.ones(4), v_leak=np.zeros(4)),
        "out": nir.Output({"output": np.array([4])}),
    }
    return lower(nir.NIRGraph(nodes, [("in", "w"), ("w", "n"), ("n", "out")]), Dialect(dt=1e-3), "")


def batch(samples: int = 40) -> SpikeBatch:
    index = np.random.default_rng(0).integers(0, 5, samples * 6).astype(np.int32)
    return SpikeBatch(1e-3, 3, (5,), np.arange(samples * 3 + 1) * 2, index)


def test_without_a_seed_it_answers_class_0() -> None:
    answer = Dummy().load(network()).infer(batch())
    assert answer.outputs.shape == (40, 3, 4)
    assert (answer.outputs.sum(axis=1).argmax(axis=1) == 0).all()
    assert answer.counts is None and answer.cost is None


def test_guesses_depend_on_seed_and_sample_alone() -> None:
    session = Dummy(seed=1).load(network())
    together = session.infer(batch()).outputs
    np.testing.assert_array_equal(session.infer(batch().take([7, 3])).outputs, together[[7, 3]])
    assert len(np.unique(together[:, 0].argmax(axis=1))) == 4
    assert not np.array_equal(Dummy(seed=2).load(network()).infer(batch()).outputs, together)
