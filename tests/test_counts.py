from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nmbench.counts import EventCounts, join, part_graded


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


def test_graded_projections_do_multiply_accumulates_and_others_have_events() -> None:
    c = counts(4)
    assert "effective_macs" not in c.per_inference() and "effective_macs" not in c.per_part()
    graded, spiking = (part_graded(c, np.array([flag])) for flag in (True, False))
    assert graded.effective_macs is not None and spiking.effective_macs is not None
    np.testing.assert_array_equal(graded.effective_macs, c.synaptic_events)
    np.testing.assert_array_equal(spiking.synaptic_events, c.synaptic_events)
    assert not graded.synaptic_events.any() and not spiking.effective_macs.any()
    again = join([graded.take([0, 1]), graded.take([2, 3])])
    assert again.per_inference() == graded.per_inference()
    assert graded.per_inference()["effective_macs"] == c.synaptic_events.sum() / 4
    assert graded.per_part()["effective_macs"] == c.per_part()["synaptic_events"]
    with pytest.raises(ValueError, match="some of them have graded"):
        join([graded, c])
    with pytest.raises(ValueError, match="effective_macs: shape"):
        replace(graded, effective_macs=c.spikes)
