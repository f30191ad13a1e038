from __future__ import annotations

import multiprocessing
import threading
import time

import numpy as np
import pytest

from nmbench.simulator.workers import share


def halves(n: int, each: int = 1) -> list[tuple[int, int]]:
    return [(a, min(a + each, n)) for a in range(0, n, each)]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_chunk_is_done_once(workers: int) -> None:
    done = np.zeros(100, np.int64)
    seen: set[int] = set()

    def work(worker: int, first: int, last: int) -> None:
        seen.add(worker)
        done[first:last] += 1

    for _ in range(50):
        share(iter(halves(100, 3)), work, workers)
    assert (done == 50).all()
    assert seen <= set(range(workers))


def test_workers_work_at_the_same_time_in_places_of_their_own() -> None:
    meet = threading.Barrier(2, timeout=30)
    share(iter([(0, 1), (1, 2)]), lambda worker, first, last: meet.wait() and None, 2)


def test_who_comes_late_is_not_waited_for() -> None:
    """The first job keeps the only helper; the second is done by its caller."""
    held, go = threading.Event(), threading.Event()

    def hold(worker: int, first: int, last: int) -> None:
        held.set()
        go.wait(30)

    slow = threading.Thread(target=lambda: share(iter([(0, 1), (1, 2)]), hold, 2))
    slow.start()
    held.wait(30)
    begun = time.perf_counter()
    done: list[int] = []
    share(iter([(0, 1), (1, 2)]), lambda worker, first, last: done.append(first), 2)
    assert sorted(done) == [0, 1]
    assert time.perf_counter() - begun < 20
    go.set()
    slow.join()


def test_a_workers_error_is_the_callers() -> None:
    def work(worker: int, first: int, last: int) -> None:
        if first == 3:
            raise ValueError("chunk 3")

    with pytest.raises(ValueError, match="chunk 3"):
        share(iter(halves(10)), work, 2)
    done: list[int] = []
    share(iter(halves(4)), lambda worker, first, last: done.append(first), 2)
    assert sorted(done) == [0, 1, 2, 3], "the threads live on"


def _in_child(answers: multiprocessing.SimpleQueue) -> None:  # type: ignore[type-arg]
    done: list[int] = []
    share(iter(halves(8)), lambda worker, first, last: done.append(first), 2)
    answers.put(sorted(done))


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own() -> None:
    share(iter(halves(8)), lambda worker, first, last: None, 2)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(answers,))
    child.start()
    child.join(30)
    assert child.exitcode == 0 and answers.get() == list(range(8))
