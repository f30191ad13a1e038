"""By how much two starts of one program differ, and how often `nmbench compare` calls equal runs different.

    python benchmarks/starts.py [--starts 10] [--workload gesture --workload digits-saccade]

Each start is a process of its own that runs one SingleStream cell on `numba-event`. Of every percentile: the
relative standard deviation over starts, and of all pairs of starts how many `nmbench.contrast` calls really
different, with the spread between starts that `nmbench.starts` assumes and without one. All pairs are equal.
Starts that are marked noisy are left out, as `nmbench.starts` does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np

from nmbench.contrast import paired_percentiles
from nmbench.starts import ASSUMED
from nmbench.stats import Values, percentile
from nmbench.store import Store


def queries(workload: str, starts: int) -> list[Values]:
    """Return the seconds of the queries of each start, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["run", "--workload", workload, "--platform", "numba-event", "--fresh", "--results", folder]
        program = [sys.executable, "-c", "from nmbench.cli import main; main()", *words]
        for _ in range(starts):
            subprocess.run(program, check=True, capture_output=True)
        found = []
        store = Store(Path(folder))
        for result in store.results(print):
            assert result.log_sha256 is not None
            if result.noise.marks:
                print(f"{workload}: left out: {'; '.join(result.noise.marks)}")
                continue
            found.append(store.log(result.log_sha256).latency())
    shortest = min(map(len, found))
    return [seconds[:shortest] for seconds in found]


def show(workload: str, starts: list[Values]) -> None:
    """Print a line a percentile."""
    pairs = list(combinations(starts, 2))
    for p in (0.5, 0.9, 0.99):
        values = [percentile(seconds, p) for seconds in starts]
        real = {
            spread: sum(paired_percentiles(a, b, p, spread).real for a, b in pairs)
            for spread in (0.0, ASSUMED.spread)
        }
        apart = 100 * float(np.std(np.log(values), ddof=1))
        print(
            f"{workload} p{100 * p:g}, {len(starts)} starts: spread {apart:.1f} %; called different: "
            f"{real[0.0]} of {len(pairs)} without a spread, {real[ASSUMED.spread]} with {ASSUMED.spread:g}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--workload", action="append")
    options = parser.parse_args()
    for workload in options.workload or ["digits-saccade", "gesture"]:
        show(workload, queries(workload, options.starts))


if __name__ == "__main__":
    main()
