"""Leaderboards: one row a platform, ranked only against what may be compared with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, cast

import pandas as pd

from nmbench.quantity import BOUNDARIES, KINDS, Boundary, Kind
from nmbench.report.board import Board, Contest, Row, Stated
from nmbench.report.ranking import places

Record = Mapping[str, Any]
"""One row of the long frame."""

ENERGY, LATENCY, ACCURACY = "energy_per_inference", "latency_p90", "accuracy"
SAME = ("workload_sha256", "data_sha256", "network_sha256")
"""Hashes that must agree within a board before its rows are compared; see `_differences`."""


def boards(frame: pd.DataFrame) -> list[Board]:
    """Return the boards of a long frame (`frames.frame`), in the order of its results.

    Where a platform has several results in a contest, as after several runs, the latest one stands: a
    later failure is not hidden behind an earlier success.
    """
    results: dict[str, list[Record]] = {}
    for record in cast(list[Record], frame.to_dict("records")):
        results.setdefault(str(record["id"]), []).append(record)
    contests: dict[Contest, list[list[Record]]] = {}
    for records in results.values():
        contests.setdefault(_contest(records[0]), []).append(records)
    return [_board(contest, found) for contest, found in contests.items()]


def leaderboard(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the boards as one wide frame: one row a platform and contest.

    Energy (J) and latency (s) stand at their headline boundary, chip_total for modelled costs and wall for
    measured latencies where stated, else the widest; kind and boundary stand beside them. ``*_rank`` is
    the place by value among results of the same contest, kind and boundary whose quality reached the
    target, ``*_rank_best`` and ``*_rank_worst`` the places that the intervals leave open. A row without a
    rank says why in ``*_unranked``.
    """
    return wide(boards(frame))


def wide(found: Iterable[Board]) -> pd.DataFrame:
    """Return boards as the wide frame of `leaderboard`."""
    rows = [{**asdict(board.contest), **_flat(row)} for board in found for row in board.rows]
    table = pd.DataFrame(rows, dtype=object)
    whole = [
        c for c in table.columns if c.endswith(("_rank", "_rank_best", "_rank_worst")) or c == "accuracy_n"
    ]
    table[whole] = table[whole].astype("Int64")
    return table


def headline(records: Sequence[Record], metric: str) -> Stated:
    """Return the number that stands for a result: measured by the wall clock, chip_total, or the widest.

    Stated values win over missing ones; at one boundary, measured over simulated over modelled.
    """
    named = [r for r in records if r["metric"] == metric]
    if not named:
        return Stated(None, reason=_first(r["error"] for r in records) or f"the result states no {metric}")
    best = max(named, key=_preference)
    return Stated(
        value=_number(best["value"]),
        lo=_number(best["lo"]),
        hi=_number(best["hi"]),
        n=None if pd.isna(best["n"]) else int(best["n"]),
        kind=best["kind"],
        boundary=best["boundary"],
        source=best["source"],
        reason=best["reason"],
    )


def _preference(record: Record) -> tuple[bool, bool, bool, int, int]:
    boundary, kind = record["boundary"], record["kind"]
    return (
        not math.isnan(record["value"]),
        (boundary, kind) == ("wall", "measured"),
        boundary == "chip_total",
        BOUNDARIES.index(boundary) if boundary else -1,
        -KINDS.index(kind),
    )


def _board(contest: Contest, results: list[list[Record]]) -> Board:
    latest: dict[str, list[Record]] = {}
    for records in sorted(results, key=lambda r: (r[0]["started"], r[0]["id"])):
        latest[str(records[0]["platform"])] = records
    kept = [records for records in results if latest[str(records[0]["platform"])] is records]
    differences = _differences(kept)
    rows = [_row(records, differences.get(str(records[0]["id"]))) for records in kept]
    return Board(contest, _ranked(rows), superseded=len(results) - len(kept))


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


def _row(records: list[Record], differs: str | None) -> Row:
    first = records[0]
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
        accuracy=headline(records, ACCURACY),
        energy=headline(records, ENERGY),
        latency=headline(records, LATENCY),
        target=_number(first["quality_target"]),
        reached=_truth(first["quality_reached"]),
        error=first["error"],
        published_data=_truth(first["published_data"]),
        differs=differs,
    )


def _ranked(rows: list[Row]) -> tuple[Row, ...]:
    energy = _placed([(row.energy, row.not_ranked) for row in rows])
    latency = _placed([(row.latency, row.not_ranked) for row in rows])
    return tuple(replace(row, energy=e, latency=s) for row, e, s in zip(rows, energy, latency, strict=True))


def _placed(stated: list[tuple[Stated, str | None]]) -> list[Stated]:
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
        for index, place in zip(members, places(spans), strict=True):
            found[index] = replace(found[index], place=place)
    return found


def _bar(number: Stated) -> str | None:
    """Say why a number cannot be ranked, whatever its result's quality."""
    if number.value is None:
        return f"no value: {number.reason}"
    return None if number.boundary else "no boundary stated: it may include anything"


def _span(number: Stated) -> tuple[float, float, float]:
    if number.value is None:
        raise ValueError("a missing value has no place")
    lo = number.value if number.lo is None else number.lo
    hi = number.value if number.hi is None else number.hi
    return lo, number.value, hi


def _contest(record: Record) -> Contest:
    return Contest(**{name: record[name] for name in Contest.__dataclass_fields__})


def _flat(row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {
        "platform": row.platform,
        "family": row.family,
        "platform_version": row.version,
        "platform_kind": row.kind,
        "what_if": row.what_if,
        "caveat": row.caveat,
        "status": row.status,
        "quality_target": row.target,
        "quality_reached": row.reached,
    }
    columns = (
        ("accuracy", "", row.accuracy),
        ("energy", "_j", row.energy),
        ("latency_p90", "_s", row.latency),
    )
    for name, unit, number in columns:
        flat |= {f"{name}{unit}": number.value, f"{name}_lo{unit}": number.lo, f"{name}_hi{unit}": number.hi}
        flat |= {
            f"{name}_kind": number.kind,
            f"{name}_source": number.source,
            f"{name}_missing": number.reason,
        }
        if name == "accuracy":
            flat["accuracy_n"] = number.n
            continue
        place = number.place
        flat |= {
            f"{name}_boundary": number.boundary,
            f"{name}_rank": place.rank if place else None,
            f"{name}_rank_best": place.best if place else None,
            f"{name}_rank_worst": place.worst if place else None,
            f"{name}_unranked": number.unranked,
        }
    return flat | {"error": row.error, "id": row.id, "started": row.started}


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _truth(value: Any) -> bool | None:
    return None if pd.isna(value) else bool(value)


def _first(values: Iterable[Any]) -> str | None:
    return next((str(v) for v in values if v), None)
