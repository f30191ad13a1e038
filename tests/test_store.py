from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import tiny

from nmbench.energy.outline import outline
from nmbench.energy.stored import Counted
from nmbench.errors import InputError
from nmbench.simulator.reference import simulate
from nmbench.store import Store, write_new


def test_results_are_never_overwritten(tmp_path: Path) -> None:
    path = write_new(tmp_path / "a" / "x.json", "one")
    with pytest.raises(FileExistsError):
        write_new(path, "two")
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


def _write(path: Path) -> bool:
    try:
        write_new(path, str(path))
    except FileExistsError:
        return False
    return True


def test_of_many_writers_of_one_name_one_wins(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        assert sum(pool.map(_write, [tmp_path / "x.json"] * 8)) == 1


def test_counts_are_written_once_and_read_by_their_hash(tmp_path: Path) -> None:
    network = tiny.mlp()
    counted = Counted(outline(network), simulate(network, tiny.spike_batch(network)).counts)
    store = Store(tmp_path)
    path = store.add_counts(counted)
    before = path.stat().st_mtime_ns
    assert store.add_counts(counted) == path and path.stat().st_mtime_ns == before
    assert store.counts(counted.sha256).sha256 == counted.sha256
    path.rename(path.with_name(f"{'0' * 64}.npz"))
    with pytest.raises(InputError, match="holds other counts"):
        store.counts("0" * 64)
    with pytest.raises(InputError, match="no counts"):
        store.counts(counted.sha256)


def test_a_faulty_record_is_told_and_hides_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "local" / "temporal" / "loihi" / "gesture"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text("{}")
    told: list[str] = []
    assert list(Store(tmp_path).results(told.append)) == []
    assert len(told) == 1 and "x.json" in told[0] and "missing" in told[0]
