"""Make the samples of a set, a few at a time, in order."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from nmbench.datasets.events import Events


def make_samples(
    make: Callable[[int], Events], count: int, progress: Callable[[int, int], None]
) -> list[Events]:
    """Call ``make(index)`` for every index below ``count``, on all cores that this process may use.

    Threads are enough: the kernels give up the interpreter's lock. A sample depends on its index alone, so
    the result does not depend on the number of threads. ``progress(done, count)`` is called in this thread.
    """
    samples = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        for sample in threads.map(make, range(count)):
            samples.append(sample)
            progress(len(samples), count)
    return samples
