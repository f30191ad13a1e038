from __future__ import annotations

import time

from nmbench.scenario.clock import SkippingClock, VirtualClock, WallClock


def test_the_wall_clock_waits_and_is_never_early() -> None:
    clock = WallClock()
    for moment in (0.003, 0.0031, 0.001, 0.01):
        before = time.perf_counter()
        clock.wait_until(moment)
        assert clock.now() >= moment
        assert time.perf_counter() - before < 5


def test_the_skipping_clock_leaves_out_waiting_and_keeps_work() -> None:
    clock, begun = SkippingClock(), time.perf_counter()
    clock.wait_until(3600)
    assert clock.now() >= 3600
    assert time.perf_counter() - begun < 60
    before = clock.now()
    time.sleep(0.01)
    assert clock.now() - before >= 0.01
    clock.wait_until(10)
    assert clock.now() >= before, "it never goes back"


def test_virtual_time_moves_when_it_is_told_to() -> None:
    clock = VirtualClock()
    clock.wait_until(2.0)
    clock.spend(0.5)
    clock.wait_until(1.0)
    assert clock.now() == 2.5
