"""Time nmbench and its peers in one run, one after the other; print the tables, write ``results.json``.

``make bench-peers``, or ``python benchmarks/run.py [--quick] [--only W1,W2] [--peers NEST]``. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from lineup import BIOLOGICAL, CONV, ENTRANTS, HERE, LARGE, MICROCIRCUIT, OURS, QUICK, WORKLOADS, Entrant
from results import Results
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from table import show

from nmbench.errors import InputError, unknown
from nmbench.network.memory import available_bytes, shortage
from nmbench.system import noise, software, system

FLOOR_LIMIT_S = 300
POOLS = (
    "BENCH_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 ok, 1 a script failed, 2 bad usage."""
    # tables keep their columns where the output is a file
    console = Console(width=None if sys.stdout.isatty() else 150)
    try:
        options = parse(arguments)
    except InputError as error:
        console.print(str(error), style="red", markup=False)
        return 2
    results = Results(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        quick=options.quick,
        system=system().model_dump(mode="json"),
        software=software().model_dump(mode="json"),
        noise_before=noise().model_dump(mode="json"),
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=console) as progress:
        jobs = [(w, e, n) for w in options.only for e in entrants(w, options.peers) for n in e.threads]
        task = progress.add_task("", total=len(jobs))
        files: dict[str, Path] = {}
        for workload, entrant, threads in jobs:
            progress.update(task, description=f"{workload}: {entrant.peer}, {threads} threads")
            if workload not in files:
                files[workload] = Path(folder) / f"{workload}.npz"
                prepare(results, workload, files[workload], options)
            one(results, workload, entrant, threads, files[workload], options)
            progress.advance(task)
    results.noise_after = noise().model_dump(mode="json")
    show(results, console)
    results.write(options.output)
    console.print(str(options.output), markup=False)
    return int(any("failed" in each["reason"] for each in results.missing))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line.

    Raises
    ------
    InputError
        Names that are not known.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    names = "comma-separated; all by default"
    parser.add_argument("--quick", action="store_true", help="fewer repeats, batch sizes and sizes of W3")
    parser.add_argument(
        "--only", type=_words, default=(), help=f"workloads of {', '.join(WORKLOADS)}; {names}"
    )
    parser.add_argument("--peers", type=_words, default=(), help=f"implementations besides nmbench; {names}")
    parser.add_argument("--lock", type=Path, help="file to lock around every timing, where others time too")
    parser.add_argument("--output", type=Path, default=HERE / "results.json")
    options = parser.parse_args(arguments)
    known = sorted({e.peer for e in ENTRANTS})
    faults = [unknown("workload", w, WORKLOADS) for w in options.only if w not in WORKLOADS]
    faults += [unknown("implementation", p, known) for p in options.peers if p not in known]
    if faults:
        raise InputError("benchmarks", faults)
    options.only = options.only or (QUICK if options.quick else WORKLOADS)
    return options


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def entrants(workload: str, peers: tuple[str, ...]) -> list[Entrant]:
    """Return who runs a workload, nmbench always."""
    return [e for e in ENTRANTS if workload in e.workloads and (not peers or e.peer in (OURS, *peers))]


def prepare(results: Results, workload: str, path: Path, options: argparse.Namespace) -> None:
    """Write a workload's file; keep its activity, and its floors where it has some."""
    if workload in MICROCIRCUIT:
        import microcircuit_workload

        results.activity[workload] = {"rate_hz": microcircuit_workload.export(workload, path)}
        return
    if workload in BIOLOGICAL:
        import brunel_workload

        kind, _, size = workload.rpartition("-")
        if workload in LARGE:
            drawn = brunel_workload.undrawn(int(size), poisson=kind == "W3")
            fired = brunel_workload.in_float64(drawn.network)
        else:
            drawn = brunel_workload.draw(int(size), poisson=kind == "W3")
            fired = brunel_workload.simulate(drawn)
        brunel_workload.export(workload, drawn, fired, path)
        seconds = brunel_workload.DURATION_MS / 1000
        results.activity[workload] = {"rate_hz": float(fired.sum()) / int(size) / seconds}
        return
    import exchange
    import workloads

    results.activity[workload] = asdict(exchange.export(workloads.make(workload), path))
    floor = Entrant("floor", "", "floor.py", (workload,), limit_s=FLOOR_LIMIT_S)
    answer = script(Path(sys.executable), floor, [str(path)], 1, options)
    if isinstance(answer, str):
        results.missing.append({"workload": workload, "peer": "floor", "reason": answer})
    else:
        results.floors[workload] = answer["floors"]


def one(
    results: Results, workload: str, entrant: Entrant, threads: int, path: Path, options: argparse.Namespace
) -> None:
    """Run one script and take up what it says, or why it said nothing."""
    python = Path(sys.executable) if entrant.peer == OURS else entrant.python
    answer: dict[str, Any] | str = "not installed: make peers"
    load1 = os.getloadavg()[0]
    free, needed = available_bytes(), int(entrant.memory_gib * 2**30)
    if python is not None and free is not None and free < needed:
        answer = f"not started: {shortage(needed, free)}"
    elif python is not None:
        answer = script(python, entrant, [str(path), *sizes(workload, options.quick)], threads, options)
    if isinstance(answer, str):
        missing = {"workload": workload, "peer": entrant.peer, "reason": answer}
        if missing not in results.missing:
            results.missing.append(missing)
    else:
        results.add(answer | {"workload": workload}, load1)


def sizes(workload: str, quick: bool) -> list[str]:
    """Return batch sizes and seconds of repeats as the scripts take them."""
    batches = "1,32" if quick else "1,16,64,256"
    if workload in BIOLOGICAL:
        batches = "1"
    elif workload in CONV:
        batches = "1,4" if quick else "1,8,64" if workload == "nm" else "1,8"
    return ["--batches", batches, "--budget", "0.2" if quick else "0.5"]


def script(
    python: Path, entrant: Entrant, words: list[str], threads: int, options: argparse.Namespace
) -> dict[str, Any] | str:
    """Run a script in its environment; return its last line, read as JSON, or what went wrong."""
    with ExitStack() as stack:
        stack.enter_context(exclusive(options.lock))
        stack.enter_context(cores(threads))
        try:
            done = subprocess.run(
                [str(python), str(HERE / entrant.script), *words],
                env=environment(threads),
                capture_output=True,
                text=True,
                timeout=entrant.limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"failed: more than {entrant.limit_s} s"
    if done.returncode:
        return f"failed: exit code {done.returncode}: {' '.join(done.stderr.split()[-40:])}"
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError) as error:
        return f"failed: no JSON in the last line of its output ({error})"
    return answer


def environment(threads: int) -> dict[str, str]:
    """Return the variables of a script: threads fixed, and no one's choice of a kernel for OpenBLAS."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "PYTHON"))}
    path = [str(HERE / "peers"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | dict.fromkeys(POOLS, str(threads)) | {"PYTHONPATH": os.pathsep.join(path)}


@contextmanager
def cores(number: int) -> Iterator[None]:
    """Let processes that are started within have so many cores: they take it over from this one."""
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(all_cores)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


@contextmanager
def exclusive(path: Path | None) -> Iterator[None]:
    """Hold a lock file while something is timed."""
    if path is None:
        yield
        return
    with path.open("a") as file:
        flock(file, LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
