"""Leaderboards: one row a platform, ranked only against what may be compared with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from nmbench.quantity import Boundary, Kind
from nmbench.report.board import Asking, Board, Contest, Row, Stated
from nmbench.report.frames import TRAFFIC
from nmbench.report.headline import preference
from nmbench.report.ranking import Better, places
from nmbench.report.scoring import ORDER, Scoring, scoring_of
from nmbench.report.wide import wide

Record = Mapping[str, Any]
"""One row of the long frame."""

WHOLE = ("queries", "samples", "batch", "over", "allowed")
SAME = ("workload_sha256", "data_sha256", "network_sha256")
"""Hashes that must agree within a board before its rows are compared; see `_differences`."""


def boards(frame: pd.DataFrame) -> list[Board]:
    """Return the boards of a long frame (`frames.frame`), by workload, then by scenario.

    Workloads, and the rows of a board, keep the order of the results. Where a platform has several results in
    a contest, as after several runs, the latest one stands: a later failure is not hidden behind an earlier
    success.
    """
    results: dict[str, list[Record]] = {}
    for record in cast(list[Record], frame.to_dict("records")):
        results.setdefault(str(record["id"]), []).append(record)
    contests: dict[Contest, list[list[Record]]] = {}
    for records in results.values():
        contests.setdefault(_contest(records[0]), []).append(records)
    workloads = list(dict.fromkeys((contest.suite, contest.workload) for contest in contests))

    def place(contest: Contest) -> tuple[int, int]:
        return workloads.index((contest.suite, contest.workload)), ORDER.index(contest.scenario)

    return [_board(contest, contests[contest]) for contest in sorted(contests, key=place)]


def leaderboard(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the boards as one wide frame: one row a platform and contest; see `nmbench.report.wide.wide`."""
    return wide(boards(frame))


def headline(records: Sequence[Record], metric: str) -> Stated:
    """Return the number that stands for a result, by `nmbench.report.headline.preference`."""
    named = [r for r in records if r["metric"] == metric]
    if not named:
        return Stated(None, reason=_first(r["error"] for r in records) or f"the result states no {metric}")
    best = max(named, key=lambda r: preference(_number(r["value"]), r["kind"], r["boundary"]))
    return Stated(
        value=_number(best["value"]),
        lo=_number(best["lo"]),
        hi=_number(best["hi"]),
        n=_whole(best["n"]),
        kind=best["kind"],
        boundary=best["boundary"],
        source=best["source"],
        reason=best["reason"],
    )


def _board(contest: Contest, results: list[list[Record]]) -> Board:
    latest: dict[str, list[Record]] = {}
    for records in sorted(results, key=lambda r: (r[0]["started"], r[0]["id"])):
        latest[str(records[0]["platform"])] = records
    kept = [records for records in results if latest[str(records[0]["platform"])] is records]
    differences = _differences(kept)
    scoring = scoring_of(contest.scenario, {str(r["metric"]) for records in kept for r in records})
    rows = [_row(records, scoring, differences.get(str(records[0]["id"]))) for records in kept]
    return Board(contest, _ranked(rows, scoring), len(results) - len(kept), scoring)


def _differences(results: list[list[Record]]) -> dict[str, str]:
    """Say of each result, by id, what it does not share with the latest one that ran.

    In the open division everyone brings a network of their own.
    """
    ran = [records[0] for records in results if records[0]["status"] == "ok"]
    if not ran:
        return {}
    newest = max(ran, key=lambda r: (r["started"], r["id"]))
    same = [key for key in SAME if key != "network_sha256" or newest["division"] == "closed"]
    found = {}
    for record in ran:
        other = [key.removesuffix("_sha256") for key in same if record[key] != newest[key]]
        if other:
            found[str(record["id"])] = (
                f"another {' and '.join(other)} than the latest result's: not comparable"
            )
    return found


def _row(records: list[Record], scoring: Scoring, differs: str | None) -> Row:
    first = records[0]
    energy, score, *beside = (headline(records, measure.metric) for measure in scoring.measures)
    names = {record["metric"] for record in records}
    if first["status"] == "ok" and score.value is None:
        score = replace(score, reason=_why_no_score(first, score))
        if scoring.energy.metric not in names:
            energy = replace(energy, reason=score.reason)
    return Row(
        platform=first["platform"],
        family=first["family"],
        version=int(first["platform_version"]),
        kind=first["platform_kind"],
        what_if=bool(first["what_if"]),
        caveat=first["caveat"],
        status=first["status"],
        id=first["id"],
        started=first["started"],
        quality=headline(records, scoring.quality.metric),
        quality_noun=scoring.quality.noun,
        energy=energy,
        score=score,
        beside=tuple(beside),
        asking=_asking(records, scoring),
        target=_number(first["quality_target"]),
        reached=_truth(first["quality_reached"]),
        error=first["error"],
        published_data=_truth(first["published_data"]),
        differs=differs,
    )


def _why_no_score(record: Record, score: Stated) -> str | None:
    """Say why there is no score: that of a given rate is none."""
    if record["scenario"] == "Server" and score.kind is None and not pd.isna(record["rate"]):
        return f"asked at a given rate, {record['rate']:g}/s: no highest one was searched"
    return score.reason


def _asking(records: list[Record], scoring: Scoring) -> Asking:
    first = records[0]
    stated: dict[str, Any] = {
        name: None if pd.isna(first[name]) else first[name] for name in (*TRAFFIC, "conduct", "noise")
    }
    whole = {name: _whole(first[name]) for name in WHOLE}
    estimates = (r for r in records if r["metric"] == f"{scoring.score.metric}_estimate")
    few = _first(r["reason"] for r in estimates if math.isnan(r["value"]))
    return Asking(**{**stated, **whole, "enough": _truth(first["enough"]), "few": few})


def _ranked(rows: list[Row], scoring: Scoring) -> tuple[Row, ...]:
    energy = _placed([(row.energy, row.not_ranked) for row in rows], scoring.energy.better)
    score = _placed([(row.score, row.not_ranked) for row in rows], scoring.score.better)
    return tuple(replace(row, energy=e, score=s) for row, e, s in zip(rows, energy, score, strict=True))


def _placed(stated: list[tuple[Stated, str | None]], better: Better) -> list[Stated]:
    """Rank each number among those of its kind and boundary, or say why it is not ranked."""
    groups: dict[tuple[Kind | None, Boundary | None], list[int]] = {}
    found: list[Stated] = []
    for index, (number, barred) in enumerate(stated):
        why = barred or _bar(number)
        found.append(replace(number, unranked=why))
        if why is None:
            groups.setdefault((number.kind, number.boundary), []).append(index)
    for members in groups.values():
        spans = [_span(found[i]) for i in members]
        for index, place in zip(members, places(spans, better), strict=True):
            found[index] = replace(found[index], place=place)
    return found


def _bar(number: Stated) -> str | None:
    """Say why a number cannot be ranked, whatever its result's quality."""
    if number.value is None:
        return f"no value: {number.reason}"
    if number.reason:
        return number.reason
    return None if number.boundary else "no boundary stated: it may include anything"


def _span(number: Stated) -> tuple[float, float, float]:
    if number.value is None:
        raise ValueError("a missing value has no place")
    lo = number.value if number.lo is None else number.lo
    hi = number.value if number.hi is None else number.hi
    return lo, number.value, hi


def _contest(record: Record) -> Contest:
    return Contest(**{name: record[name] for name in Contest.__dataclass_fields__})


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _truth(value: Any) -> bool | None:
    return None if pd.isna(value) else bool(value)


def _first(values: Iterable[Any]) -> str | None:
    return next((str(v) for v in values if v), None)
