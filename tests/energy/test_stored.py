from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from nmbench.counts import EventCounts
from nmbench.energy import stored
from nmbench.energy.outline import outline
from nmbench.energy.stored import Counted, unpack
from nmbench.errors import InputError
from nmbench.simulator.reference import simulate

NETWORK = tiny.cnn()


def counted(samples: int = 3) -> Counted:
    batch = tiny.spike_batch(NETWORK, samples=samples)
    return Counted(outline(NETWORK), simulate(NETWORK, batch).counts)


def same(one: EventCounts, other: EventCounts) -> None:
    assert (one.populations, one.projections) == (other.populations, other.projections)
    for name in ("spikes", "neuron_updates", "synaptic_events", "dense_macs"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(other, name).dtype == np.int64


def test_what_is_read_is_what_was_written() -> None:
    written = counted()
    read = unpack(written.pack(), "test")
    assert read.outline == written.outline
    same(written.counts, read.counts)
    assert read.sha256 == written.sha256


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**40), st.booleans())
def test_any_counts_come_back(samples: int, steps: int, most: int, varied: bool) -> None:
    sizes = tiny.mlp()
    rng = np.random.default_rng(most % 2**32)
    spikes = rng.integers(0, most + 1, (samples, steps, 3))
    updates = rng.integers(0, 9, (samples, steps, 3)) if varied else np.zeros((samples, steps, 3), np.int64)
    counts = EventCounts(
        tuple(p.name for p in sizes.populations),
        tuple(p.name for p in sizes.projections),
        spikes,
        updates,
        rng.integers(0, most + 1, (samples, steps, 2)),
        np.array([most, 0], np.int64),
    )
    same(counts, unpack(Counted(outline(sizes), counts).pack(), "test").counts)


def test_the_name_does_not_depend_on_the_types_that_hold_the_counts() -> None:
    one = counted()
    held = EventCounts(
        one.counts.populations,
        one.counts.projections,
        one.counts.spikes.copy(order="F"),
        one.counts.neuron_updates.copy(),
        one.counts.synaptic_events[:, :, :],
        one.counts.dense_macs,
    )
    assert Counted(one.outline, held).sha256 == one.sha256


def repacked(change: dict[str, np.ndarray | None]) -> bytes:
    arrays = dict(np.load(io.BytesIO(counted().pack())))
    target = io.BytesIO()
    kept = {k: v for k, v in {**arrays, **change}.items() if v is not None}
    np.savez_compressed(target, allow_pickle=True, **kept)
    return target.getvalue()


def header(**change: object) -> np.ndarray:
    old = json.loads(np.load(io.BytesIO(counted().pack()))["header"].tobytes())
    return np.frombuffer(json.dumps({**old, **change}).encode(), np.uint8)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no file of counts"),
        (b"PK\x03\x04 nothing", "no file of counts"),
        (repacked({"spikes": None}), "spikes"),
        (repacked({"more": np.zeros(1, np.uint8)}), "unknown arrays ['more']"),
        (repacked({"spikes": np.array([{}], object)}), "no file of counts"),
        (repacked({"dense_macs": np.array([-1, 2], np.int64)}), "not unsigned"),
        (repacked({"dense_macs": np.zeros(7, np.uint8)}), "dense_macs: shape"),
        (repacked({"header": np.frombuffer(b"[]", np.uint8)}), "no nmbench.counts/1"),
        (repacked({"header": header(schema="other")}), "no nmbench.counts/1"),
        (repacked({"header": header(outline={"groups": 1})}), "groups"),
        (repacked({"header": header(populations=["a", "b", "c"])}), "names"),
    ],
)
def test_a_file_of_something_else_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match="hostile") as caught:
        unpack(data, "hostile")
    assert says in str(caught.value)


def test_a_small_file_that_would_unpack_to_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = counted().pack()
    unpack(data, "small")
    monkeypatch.setattr(stored, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="bytes unpacked; at most 100"):
        unpack(data, "bomb")


def test_an_array_that_claims_more_than_there_is_is_refused() -> None:
    target, lie = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(
        lie, {"descr": "|u1", "fortran_order": False, "shape": (1 << 50, 1, 1)}
    )
    with zipfile.ZipFile(target, "w") as zipped:
        zipped.writestr("header.npy", lie.getvalue())
    with pytest.raises(InputError, match="no file of counts"):
        unpack(target.getvalue(), "lie")
