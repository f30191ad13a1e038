"""What tonic knows of the real sets: the names of their classes, in its order.

The one file of this package that imports tonic (GPL-3.0-only), inside a function. The sets lie on disk
where tonic puts them and are labelled as it labels them; their bytes are decoded here, not by it: its readers
hold whole sets, are several times slower than our target, or trust what they read (`benchmarks/README.md`
has the figures; each module of this package says what its own set suffers from). The tests compare every set
with what tonic returns, event for event.
"""

from __future__ import annotations


def class_names(dataset: str) -> tuple[str, ...]:
    """Return the classes of one of tonic's data sets that states them, e.g. ``NMNIST``."""
    from tonic import datasets

    stated = getattr(datasets, dataset).classes
    return tuple(str(name) for name in stated)
