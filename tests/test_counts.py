from __future__ import annotations

import numpy as np
import pytest

from nmbench.counts import EventCounts, join


def counts(samples: int, seed: int = 0) -> EventCounts:
    rng = np.random.default_rng(seed)
    return EventCounts(
        populations=("input", "hidden"),
        projections=("input->hidden",),
        spikes=rng.integers(0, 5, (samples, 3, 2)),
        neuron_updates=np.broadcast_to(np.array([0, 7]), (samples, 3, 2)).copy(),
        synaptic_events=rng.integers(0, 9, (samples, 3, 1)),
        dense_macs=np.array([70]),
    )


def test_join_undoes_take() -> None:
    whole = counts(5)
    again = join([whole.take([0, 1]), whole.take([2]), whole.take([3, 4])])
    np.testing.assert_array_equal(again.spikes, whole.spikes)
    assert again.per_inference() == whole.per_inference()


def test_means_are_over_the_samples_that_ran() -> None:
    c = counts(4)
    means = c.per_inference()
    assert means["neuron_updates"] == 3 * 7
    assert means["dense_macs"] == 3 * 70
    assert means["input_events"] == c.spikes[:, :, 0].sum() / 4
    assert c.per_part()["spikes"]["hidden"] == means["spikes"]


def test_shapes_must_agree_and_no_mean_of_nothing() -> None:
    c = counts(2)
    with pytest.raises(ValueError, match="spikes: shape"):
        EventCounts(("a",), c.projections, c.spikes, c.neuron_updates, c.synaptic_events, c.dense_macs)
    with pytest.raises(ValueError, match="no samples"):
        c.take([]).per_inference()
