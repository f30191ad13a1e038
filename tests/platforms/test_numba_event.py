"""The measured platform hands on what the simulator gives."""

from __future__ import annotations

import numpy as np
from test_dummy import batch, network

from nmbench.platforms.numba_event import NumbaEvent
from nmbench.simulator.reference import simulate


def test_it_answers_as_the_reference_does() -> None:
    platform = NumbaEvent(threads=2)
    assert platform.refuse(network()) is None
    session = platform.load(network())
    session.warmup(batch())
    answer, expected = session.infer(batch()), simulate(network(), batch())
    np.testing.assert_array_equal(answer.outputs, expected.outputs)
    assert answer.counts is not None
    np.testing.assert_array_equal(answer.counts.synaptic_events, expected.counts.synaptic_events)
    assert answer.cost is None


def test_it_is_measured_by_the_wall_clock() -> None:
    info = NumbaEvent().info
    assert (info.name, info.clock, info.boundary) == ("numba-event", "wall", "wall")
    assert info.card is not None
