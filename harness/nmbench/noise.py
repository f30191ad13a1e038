"""Whether something else ran beside a cell: reasons in words, from the kernel and from the repetitions.

What the thresholds were set by: cells of `numba-event` on 2 cores (Linux 6.18, virtual machine), two
workloads, four runs each beside nothing, one busy loop and two of them.

=====================  =============  =============  ===============  ============  ===========  =======
beside the run         load at start  10 s pressure  waited, of run   blocks apart  first-last   p99
=====================  =============  =============  ===============  ============  ===========  =======
nothing                0.5            0 %            0.3 to 1.8 %     1 to 8 %      2 %          1
one busy loop          0.6 to 0.7     0.2 to 3 %     5 to 6 %         1 to 8 %      1 %          1
two busy loops         0.8 to 1.1     12 to 38 %     53 to 54 %       1 to 12 %     4 %          10 to 30
=====================  =============  =============  ===============  ============  ===========  =======

Load (`LOAD_OWN`, `LOAD_SHARE`) is an average over a minute: a sweep's cell finds the one before it there, a
whole core's worth, and is not to blame for it; a quarter of the cores above that is somebody else. It is read
before the run alone, since after it the run's own work is in it. Pressure (`PRESSURE`, `WAITED`) is the share
of time in which a task that could run had no core, and answers within seconds. A single loop on another core
is not marked: it takes nothing from the run. The medians of blocks do not see two loops either (a query is
shorter than a slice of time, and few are cut); they see what pressure does not: a clock that falls, a cache
or a memory that a neighbour takes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmbench.record import Noise
from nmbench.stats import Values

LOAD_OWN = 1.0
LOAD_SHARE = 0.25
PRESSURE = 0.05
"""Of the last ten seconds."""
WAITED = 0.10
"""Of the run itself."""

BLOCKS = 8
"""Consecutive blocks whose medians are compared."""
LEAST_REPETITIONS = 32
SPREAD = 0.10
"""Share by which medians of blocks may differ."""
DRIFT = 0.05
"""Share by which the last quarter may be slower or faster than the first."""
SHUFFLES = 500
MOST = 8192
"""Repetitions that are looked at: of more, as many at equal distances."""
CHANCE = 0.01
"""Share of shuffled series that may show as much before it counts as the order's doing."""


def marks(
    before: Noise,
    after: Noise,
    cores: int,
    repetitions: Sequence[float] | Values | None = None,
    waited: float | None = None,
) -> tuple[str, ...]:
    """Return why a record counts as noisy; empty where nothing shows that it does.

    Parameters
    ----------
    before, after
        Readings at the start and at the end of what was timed.
    cores
        That the run may use.
    repetitions
        Seconds of each query in the order in which they ran, one at a time and of like work; NaN where no
        answer came. Latencies that queue (Server), several samples of one call and pieces of one recording
        are not alike: their order matters by itself. None where nothing like it was timed.
    waited
        Share of the run's own time in which a task waited for a CPU (``total`` of the kernel's pressure,
        before and after): of runs of less than a second the reading over ten seconds sees little.
    """
    found = []
    limit = LOAD_OWN + LOAD_SHARE * cores
    if before.load1 is not None and before.load1 > limit:
        found.append(f"load average {before.load1:.2f} at the start, over {limit:.2f} for {cores} cores")
    for when, reading in (("start", before), ("end", after)):
        if reading.cpu_pressure is not None and reading.cpu_pressure > PRESSURE:
            share = f"{100 * reading.cpu_pressure:.0f} %"
            found.append(
                f"tasks waited for a CPU {share} of ten seconds at the {when}, over {100 * PRESSURE:.0f} %"
            )
    if waited is not None and waited > WAITED:
        found.append(f"tasks waited for a CPU {100 * waited:.0f} % of the run, over {100 * WAITED:.0f} %")
    if repetitions is not None:
        seconds = np.asarray(repetitions, dtype=np.float64)
        found += _unsteady(seconds[np.isfinite(seconds)])
    return tuple(found)


def _unsteady(seconds: Values) -> list[str]:
    """Say whether the repetitions depend on when they ran: by more than allowed, and than chance explains.

    Samples differ in how much there is to compute, so that medians of few of them differ by themselves:
    the same repetitions in shuffled orders tell by how much (permutation test).
    """
    if len(seconds) < LEAST_REPETITIONS:
        return []
    seconds = seconds[:: -(-len(seconds) // MOST)]
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(np.broadcast_to(seconds, (SHUFFLES, len(seconds))), axis=1)
    found = []
    spread = float(_spread(seconds[None])[0])
    if spread > SPREAD and (_spread(shuffled) >= spread).mean() <= CHANCE:
        found.append(
            f"medians of {BLOCKS} blocks of repetitions are {100 * spread:.0f} % apart, "
            f"over {100 * SPREAD:.0f} %"
        )
    drift = float(_drift(seconds[None])[0])
    if abs(drift) > DRIFT and (np.abs(_drift(shuffled)) >= abs(drift)).mean() <= CHANCE:
        way = "slower" if drift > 0 else "faster"
        found.append(
            f"the last quarter is {100 * abs(drift):.0f} % {way} than the first, over {100 * DRIFT:.0f} %"
        )
    return found


def _spread(orders: Values) -> Values:
    length = orders.shape[1] // BLOCKS
    blocks = orders[:, : BLOCKS * length].reshape(len(orders), BLOCKS, length)
    medians = np.median(blocks, axis=2)
    return np.asarray(medians.max(axis=1) / medians.min(axis=1) - 1, dtype=np.float64)


def _drift(orders: Values) -> Values:
    quarter = orders.shape[1] // 4
    first, last = np.median(orders[:, :quarter], axis=1), np.median(orders[:, -quarter:], axis=1)
    return np.asarray(last / first - 1, dtype=np.float64)
