"""What stands at the top of a report: the contents, and who is first where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from nmbench.report.board import Board, Row, Stated
from nmbench.report.escape import markdown
from nmbench.report.markdown import anchor, table, text
from nmbench.report.overview import Leader, by_workload, groups_of, heading, leaders
from nmbench.report.scoring import Measure, Scoring
from nmbench.report.sections import title

FIRST, LEGEND = "Who is first", "What the words mean"
"""Headings of the first section, and of the one after the boards."""


def contents_text(found: Sequence[Board]) -> str:
    """Return the contents as a list of links: the workloads, and of each its scenarios."""
    links = _links(found)
    lines = []
    for workload, boards in by_workload(found):
        named = ", ".join(f"[{markdown(_name(board, boards))}](#{links[board]})" for board in boards)
        lines.append(f"- {markdown(workload)}: {named}")
    around = [f"- [{FIRST}](#{anchor(FIRST)})", *lines, f"- [{LEGEND}](#{anchor(LEGEND)})"]
    return "\n".join(["## Contents", "", *around]) + "\n"


def first_text(found: Sequence[Board]) -> str:
    """Return who is first by score, and who by energy, in each board: a column a kind and boundary."""
    intro = (
        "By the scenario's score, then by energy. Only numbers of one kind and boundary are compared. "
        "*Or 2 more of 9*: of nine that are ranked two more may be first, as far as the intervals tell. "
        "Arrows point to the better values."
    )
    parts = [
        f"## {FIRST}",
        intro,
        _table(found, "Score", lambda row: row.score, lambda scoring: scoring.score),
        _table(found, "Energy", lambda row: row.energy, lambda scoring: scoring.energy),
    ]
    return "\n\n".join(parts) + "\n"


def _table(
    found: Sequence[Board],
    what: str,
    pick: Callable[[Row], Stated],
    measure: Callable[[Scoring], Measure],
) -> str:
    groups, links = groups_of(found, pick), _links(found)
    lines = []
    for workload, boards in by_workload(found):
        for board in boards:
            first, shown = leaders(board, pick), measure(board.scoring)
            arrow = "\N{DOWNWARDS ARROW}" if shown.better == "lower" else "\N{UPWARDS ARROW}"
            lines.append([
                markdown(workload), f"[{markdown(_name(board, boards))}](#{links[board]})",
                f"{shown.heading} {arrow}", *(_cell(first.get(group), shown) for group in groups),
            ])  # fmt: skip
    return table(["Workload", "Scenario", what, *map(heading, groups)], lines)


def _cell(leader: Leader | None, measure: Measure) -> str:
    if leader is None:
        return ""
    return f"{markdown(leader.platform)} {text(leader.number, measure)}, {leader.standing}"


def _name(board: Board, among: Sequence[Board]) -> str:
    """Name a board within its workload: by its scenario where that is enough."""
    scenario = board.contest.scenario
    alike = [other for other in among if other.contest.scenario == scenario]
    if len(alike) == 1:
        return scenario
    contest = board.contest
    return f"{scenario} (size {contest.size}, {contest.data_source}, {contest.tier}, seed {contest.seed})"


def _links(found: Sequence[Board]) -> dict[Board, str]:
    """Return the anchors of the boards' headings; equal headings are numbered, as GitHub does."""
    seen: Counter[str] = Counter()
    links = {}
    for board in found:
        name = anchor(title(board.contest))
        links[board] = f"{name}-{seen[name]}" if seen[name] else name
        seen[name] += 1
    return links
