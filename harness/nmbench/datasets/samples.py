"""Make the samples of a set, a few at a time, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from nmbench.datasets.events import Events

Item = TypeVar("Item")
Made = TypeVar("Made")


def make_samples(
    make: Callable[[int], Events], count: int, progress: Callable[[int, int], None]
) -> list[Events]:
    """Call ``make(index)`` for every index below ``count``, on all cores that this process may use.

    A sample depends on its index alone, so the result does not depend on the number of threads.
    ``progress(done, count)`` is called in this thread.
    """
    samples = []
    for sample in in_order(make, range(count)):
        samples.append(sample)
        progress(len(samples), count)
    return samples


def in_order(work: Callable[[Item], Made], items: Iterable[Item], threads: int = 0) -> Iterator[Made]:
    """Yield ``work(item)`` for every item in order, made ahead in threads; 0: one a core of this process.

    Threads are enough: the kernels give up the interpreter's lock. At most ``threads + 1`` results wait, so
    memory is bounded whatever the number of items.
    """
    threads = threads or len(os.sched_getaffinity(0))
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
