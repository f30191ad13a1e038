"""Boards as one wide frame: one row a platform and contest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pandas as pd

from nmbench.report.asking import remarks
from nmbench.report.board import Asking, Board, Row, Stated
from nmbench.report.scoring import SCORINGS, SPOTTING, Scoring

WHOLE = ("_rank", "_rank_best", "_rank_worst")
COUNTS = ("accuracy_n", "f1_n", "queries", "batch")


def wide(found: Iterable[Board]) -> pd.DataFrame:
    """Return boards as a frame with one row a platform and contest.

    ``score`` names the columns of the metric that the scenario is judged on (``latency_p90``,
    ``latency_p99``, ``server_rate``, ``throughput``, ``decision_latency_p99``), ``score_better`` its better
    values; columns of metrics that no row's scenario has are left out. ``energy_per`` says what the energy is
    of. Energy (J), times (s) and rates (1/s) stand at their headline boundary, chip_total for modelled
    numbers and wall for measured ones where stated, else the widest; kind and boundary stand beside them.
    ``*_rank`` is the place by value among results of the same contest, kind and boundary whose quality
    reached the target, ``*_rank_best`` and ``*_rank_worst`` the places that the intervals leave open. A row
    without a rank says why in ``*_unranked``. ``remarks`` says what of a run is unlike the usual.
    """
    rows = [{**asdict(board.contest), **_flat(row, board)} for board in found for row in board.rows]
    table = pd.DataFrame(rows, dtype=object)
    whole = [c for c in table.columns if c.endswith(WHOLE) or c in COUNTS]
    table[whole] = table[whole].astype("Int64")
    return table[_ordered(list(table.columns))]


def score_columns(scoring: Scoring) -> tuple[str, ...]:
    """Return the stems of the columns that show a scenario's score and what stands beside it."""
    return tuple(measure.column for measure in (scoring.score, *scoring.beside))


def _ordered(columns: list[str]) -> list[str]:
    """Put the columns of metrics that only later scenarios have beside those of the first one."""
    stems = tuple(
        dict.fromkeys(stem for scoring in (*SCORINGS.values(), SPOTTING) for stem in score_columns(scoring))
    )
    scores = [column for column in columns if column.startswith(stems)]
    if not scores:
        return columns
    first = columns.index(scores[0])
    others = [column for column in columns if column not in scores]
    return [*others[:first], *scores, *others[first:]]


def _flat(row: Row, board: Board) -> dict[str, Any]:
    scoring = board.scoring
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
        **_number(scoring.quality.column, "", row.quality),
        f"{scoring.quality.column}_n": row.quality.n,
        **_number(scoring.energy.column, scoring.energy.suffix, row.energy),
        **_place(scoring.energy.column, row.energy),
        **_number(scoring.score.column, scoring.score.suffix, row.score),
        **_place(scoring.score.column, row.score),
    }
    for measure, number in zip(scoring.beside, row.beside, strict=True):
        flat |= _number(measure.column, measure.suffix, number)
        flat[f"{measure.column}_boundary"] = number.boundary
    flat |= {
        "energy_per": scoring.energy.metric.removeprefix("energy_per_"),
        "score": scoring.score.column,
        "score_better": scoring.score.better,
        **_asking(row.asking),
        "remarks": "; ".join(f"{note.what}: {note.why}" for note in remarks(row, scoring)) or None,
    }
    return flat | {"error": row.error, "id": row.id, "started": row.started}


def _number(name: str, unit: str, number: Stated) -> dict[str, Any]:
    return {
        f"{name}{unit}": number.value,
        f"{name}_lo{unit}": number.lo,
        f"{name}_hi{unit}": number.hi,
        f"{name}_kind": number.kind,
        f"{name}_source": number.source,
        f"{name}_missing": number.reason,
    }


def _place(name: str, number: Stated) -> dict[str, Any]:
    place = number.place
    return {
        f"{name}_boundary": number.boundary,
        f"{name}_rank": place.rank if place else None,
        f"{name}_rank_best": place.best if place else None,
        f"{name}_rank_worst": place.worst if place else None,
        f"{name}_unranked": number.unranked,
    }


def _asking(asking: Asking) -> dict[str, Any]:
    return {
        "generator": asking.generator,
        "clock": asking.clock,
        "queries": asking.queries,
        "batch": asking.batch,
        "rate_per_s": asking.rate,
        "latency_bound_s": asking.latency_bound_s,
        "window_s": asking.window_s,
        "deadline_s": asking.deadline_s,
        "state": asking.state,
        "enough": asking.enough,
        "noisy": asking.noise is not None,
    }
