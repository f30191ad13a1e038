"""What a scenario asks, in words, and what of a row's run is unlike the usual."""

from __future__ import annotations

from nmbench.report.board import Board, Note, Row
from nmbench.report.engineering import engineering, percent
from nmbench.report.scoring import MISSES, Scoring


def question(board: Board) -> str:
    """Return what the board's scenario asks, with the numbers that the workload sets."""
    return {
        "SingleStream": _single,
        "MultiStream": _multi,
        "Server": _server,
        "Offline": _offline,
        "Streaming": _streaming,
    }[board.contest.scenario](board)


def bound(board: Board) -> str:
    """Return within which time a query, or a decision, is due, `100 ms`; or where that is written."""
    name = "deadline_s" if board.contest.scenario == "Streaming" else "latency_bound_s"
    seconds = board.asked(name)
    return "the workload's bound" if seconds is None else plain(seconds)


def plain(seconds: float) -> str:
    """Return a time that was chosen, not measured, without trailing zeros: `100 ms`, `2.5 s`."""
    number, unit = engineering(seconds, "s").split(" ")
    return f"{float(number):g} {unit}"


def remarks(row: Row, scoring: Scoring) -> list[Note]:
    """Return what has to be said of a row that ran, ranked or not."""
    if row.status != "ok":
        return []
    asking, found = row.asking, []
    late = _late(row, scoring)
    if late:
        found.append(("late", late))
    if asking.noise:
        found.append(("noisy", asking.noise))
    few = _few(row)
    if few:
        found.append(("queries", few))
    if asking.clock == "skipping":
        found.append(("clock", "the wall clock, less the time in which all wait for the next arrival"))
    if asking.generator not in (None, "nmbench"):
        found.append(("traffic", f"made by {asking.generator}"))
    if asking.state == "recomputed":
        found.append(("state", "not kept: each decision runs its recording again from its beginning"))
    if asking.conduct:
        found.append(("conduct", asking.conduct.replace("_", " ")))
    return [Note(row.platform, what, why) for what, why in found]


def _late(row: Row, scoring: Scoring) -> str | None:
    """Say that deadlines are missed, or may be; None where they are met."""
    if MISSES not in scoring.beside:
        return None
    misses = row.beside[scoring.beside.index(MISSES)]
    if misses.value:
        return f"{percent(misses.value)} of the decisions come after their deadline"
    if misses.value is not None and misses.kind == "modelled" and misses.hi:
        return f"up to {percent(misses.hi)} of the decisions, where it is as slow as its interval allows"
    return None


def _few(row: Row) -> str | None:
    """Say that the queries do not suffice to be sure of the score's percentile."""
    asking = row.asking
    if asking.few:
        return f"too few for 99 % confidence: {asking.few}"
    if asking.enough is not False or not asking.queries:
        return None
    if asking.over is not None and asking.allowed is not None:
        return (
            f"{asking.over} of {asking.queries} over the bound; {asking.allowed} may be, for 99 % confidence"
        )
    return f"too few for 99 % confidence: {asking.queries} queries"


def _single(board: Board) -> str:
    return "One sample at a time, the next one when it is answered: what 90 of 100 answers take at most."


def _multi(board: Board) -> str:
    each = {
        row.asking.samples // row.asking.queries
        for row in board.rows
        if row.asking.samples and row.asking.queries
    }
    number = str(each.pop()) if len(each) == 1 else "Several"
    return (
        f"{number} samples a query, the next one when all are answered: what 99 of 100 queries take at most."
    )


def _server(board: Board) -> str:
    return (
        "Queries of one sample at random moments (Poisson): the highest rate at which 99 of 100 are answered "
        f"within {bound(board)}."
    )


def _offline(board: Board) -> str:
    return "All samples are there at once: how many are answered per second."


def _streaming(board: Board) -> str:
    window = board.asked("window_s")
    if window is None:
        return "Recordings as a sensor gives them; a decision is due after each window, before its deadline."
    return (
        f"{_recordings(board, window)}, one after the other as a sensor gives them: a decision every "
        f"{plain(window)}, due within {bound(board)}. What 99 of 100 take at most, and how many miss."
    )


def _recordings(board: Board, window: float) -> str:
    """Name the recordings, with their length where all rows agree on it."""
    each = {
        row.asking.queries / row.asking.samples
        for row in board.rows
        if row.asking.samples and row.asking.queries
    }
    return f"Recordings of {plain(each.pop() * window)}" if len(each) == 1 else "Recordings"
