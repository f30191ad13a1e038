"""NIR files: untrusted on the way in, byte-stable on the way out."""

from __future__ import annotations

import subprocess
import sys

import h5py
import nir
import numpy as np
import pytest

from nmbench.errors import InputError
from nmbench.network import hdf5, nir_file
from nmbench.network.nir_file import read_nir, write_nir


def graph(order: int = 1) -> nir.NIRGraph:
    nodes = {
        "in": nir.Input({"input": np.array([3])}),
        "w": nir.Affine(np.arange(6.0).reshape(2, 3), np.zeros(2)),
        "n": nir.CubaLIF(*(np.ones(2) for _ in range(7))),
        "out": nir.Output({"output": np.array([2])}),
    }
    edges = [("in", "w"), ("w", "n"), ("n", "out")]
    return nir.NIRGraph(dict(list(nodes.items())[::order]), edges[::order])


def test_what_is_written_is_read(tmp_path) -> None:
    path = tmp_path / "net.nir"
    sha256 = write_nir(path, graph())
    read, read_sha256 = read_nir(path)
    assert read_sha256 == sha256
    assert sorted(read.edges) == sorted(graph().edges)
    np.testing.assert_array_equal(read.nodes["w"].weight, graph().nodes["w"].weight)
    assert [p.name for p in tmp_path.iterdir()] == ["net.nir"]


def test_the_bytes_depend_neither_on_order_nor_on_the_process(tmp_path) -> None:
    sha256 = write_nir(tmp_path / "a.nir", graph())
    assert write_nir(tmp_path / "b.nir", graph(-1)) == sha256
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path.parent)!r}); from pathlib import Path;"
        f"from nmbench.network.nir_file import read_nir, write_nir;"
        f"print(write_nir(Path({str(tmp_path / 'c.nir')!r}), read_nir(Path({str(tmp_path / 'a.nir')!r}))[0]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == sha256


def test_files_without_v_reset_reset_to_zero(tmp_path) -> None:
    write_nir(tmp_path / "new.nir", graph())
    with h5py.File(tmp_path / "new.nir", "r+") as file:
        del file["node/nodes/n/v_reset"]
    old, _ = read_nir(tmp_path / "new.nir")
    np.testing.assert_array_equal(old.nodes["n"].v_reset, [0, 0])


def faulty(path, kind: str) -> None:
    if kind == "absent":
        return
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("node: 1")
    elif kind == "cut":
        write_nir(path, graph())
        path.write_bytes(path.read_bytes()[:-200])
    else:
        write_nir(path, graph())
        with h5py.File(path, "r+") as file:
            if kind == "external link":
                file["node/nodes/w/bias2"] = h5py.ExternalLink("/etc/passwd", "/x")
            elif kind == "soft link":
                file["node/nodes/loop"] = h5py.SoftLink("/node")
            elif kind == "loop":
                file["node/nodes/loop"] = file["node"]
            elif kind == "bomb":
                file.create_dataset("node/nodes/w/x", (2**40,), "f8", chunks=(2**20,), compression="gzip")
            elif kind == "type":
                del file["node/nodes/w/type"]
                file["node/nodes/w/type"] = "Warp"
            elif kind == "field":
                del file["node/nodes/w/weight"]


KINDS = ["absent", "folder", "text", "cut", "external link", "soft link", "loop", "bomb", "type", "field"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_gets_one_message_with_its_name(tmp_path, kind: str) -> None:
    path = tmp_path / "bad.nir"
    faulty(path, kind)
    with pytest.raises(InputError, match=r"bad\.nir: .+"):
        read_nir(path)


def test_a_large_file_is_not_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(nir_file, "MAX_FILE_BYTES", 100)
    write_nir(tmp_path / "large.nir", graph())
    with pytest.raises(InputError, match="at most 100 bytes are read"):
        read_nir(tmp_path / "large.nir")


def child(tmp_path, monkeypatch, script: str) -> None:
    """Let another script stand for the process that reads."""
    (tmp_path / "child.py").write_text(script)
    monkeypatch.setattr(hdf5, "__file__", str(tmp_path / "child.py"))
    write_nir(tmp_path / "net.nir", graph())


def test_a_crash_of_the_library_is_a_message(tmp_path, monkeypatch) -> None:
    child(tmp_path, monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(InputError, match=r"net\.nir: .*crashed on it \(SIGSEGV\)"):
        read_nir(tmp_path / "net.nir")


def test_a_library_that_hangs_is_ended(tmp_path, monkeypatch) -> None:
    child(tmp_path, monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(hdf5, "MAX_SECONDS", 0.5)
    with pytest.raises(InputError, match=r"net\.nir: .*longer than 0\.5 s"):
        read_nir(tmp_path / "net.nir")


def test_both_ways_of_reading_agree(tmp_path) -> None:
    names = {"": np.arange(3, dtype=">i2"), "texts": [["a", "b"], ["c", "ü"]], "one": 3.5, "text": "so\nso"}
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name, value in names.items():
            file.create_dataset(f"group/in/{name or 'numbers'}", data=value)
        file["group/none"] = np.empty((0, 2), np.float32)
    content = (tmp_path / "x.h5").read_bytes()
    here, apart = hdf5.read_here(content)["group"], hdf5.read_apart(content)["group"]
    assert list(here) == list(apart) and list(here["in"]) == list(apart["in"])
    assert apart["in"]["text"] == "so\nso"
    for a, b in ((here["none"], apart["none"]), *((here["in"][k], apart["in"][k]) for k in here["in"])):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)
        assert isinstance(a, str) or a.dtype == b.dtype


def test_files_that_came_with_nmbench_are_read_here(monkeypatch) -> None:
    monkeypatch.setattr(nir_file, "read_apart", None)
    read_nir(next((nir_file.SHIPPED / "temporal" / "networks").glob("*.nir")))


@pytest.mark.slow
def test_corrupt_files_are_messages(tmp_path, monkeypatch) -> None:
    """Bytes changed at random: the file is read, or a message says why not; some make the library hang."""
    monkeypatch.setattr(hdf5, "MAX_SECONDS", 3)
    rng, path = np.random.default_rng(0), tmp_path / "net.nir"
    write_nir(path, graph())
    good = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(300):
        content = good.copy()
        content[rng.integers(0, len(good), rng.integers(1, 40))] = rng.integers(0, 256)
        path.write_bytes(content.tobytes())
        try:
            read_nir(path)
        except InputError as error:
            assert str(path) in str(error)
