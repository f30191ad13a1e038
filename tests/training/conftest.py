"""The training scripts are no package: they are run from their folder, and found there by these tests."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workloads" / "training"))

# torch comes with the extra "train" only
collect_ignore_glob = ["test_*.py"] if find_spec("torch") is None else []
