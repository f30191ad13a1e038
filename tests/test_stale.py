from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nmbench.stale import forget_stale_kernels

INNER = "from numba import njit\n\n@njit(inline='never')\ndef inner(x):\n    return x + {add}\n"
OUTER = """
from numba import njit
from inner import inner

@njit(cache=True)
def outer(x):
    return inner(x)
"""


def outer_of_one(folder: Path) -> int:
    code = "from outer import outer; print(outer(1))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_a_kernel_that_took_a_changed_function_is_compiled_again(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(OUTER)
    (tmp_path / "inner.py").write_text(INNER.format(add=1))
    forget_stale_kernels(tmp_path)
    assert outer_of_one(tmp_path) == 2
    assert not forget_stale_kernels(tmp_path), "nothing changed"
    (tmp_path / "inner.py").write_text(INNER.format(add=41))
    assert outer_of_one(tmp_path) == 2, "Numba alone does not notice: without this the test proves nothing"
    assert forget_stale_kernels(tmp_path)
    assert outer_of_one(tmp_path) == 42


def test_a_change_in_a_subfolder_counts(tmp_path: Path) -> None:
    """The vector engine's kernels take functions from one another's files in a folder of their own."""
    inner = tmp_path / "vector"
    (inner / "__pycache__").mkdir(parents=True)
    (inner / "lanes.py").write_text("X = 1\n")
    forget_stale_kernels(tmp_path)
    kernel = inner / "__pycache__" / "kernel.run-1.py311.1.nbc"
    kernel.touch()
    assert not forget_stale_kernels(tmp_path)
    assert kernel.exists()
    (inner / "lanes.py").write_text("X = 2\n")
    assert forget_stale_kernels(tmp_path)
    assert not kernel.exists()
