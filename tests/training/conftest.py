"""Torch comes with the extra ``train`` only; without it these tests are not collected."""

from importlib.util import find_spec

collect_ignore_glob = ["test_*.py"] if find_spec("torch") is None else []
