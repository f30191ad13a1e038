"""The training scripts are no package: they are run from their folder, and found there by these tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "workloads" / "training"))
