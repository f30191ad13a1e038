"""A what-if platform is shown beside the others, and takes no rank from them."""

from __future__ import annotations

from records import PLATFORMS, made_result

from nmbench.record import Result
from nmbench.report.board import Row
from nmbench.report.frames import frame
from nmbench.report.leaderboard import boards, leaderboard


def what_if(result: Result) -> Result:
    return result.model_copy(update={"platform": result.platform.model_copy(update={"what_if": True})})


def ranks(rows: tuple[Row, ...]) -> dict[str, tuple[object, object]]:
    return {row.platform: (row.energy.place, row.score.place) for row in rows}


def test_a_what_if_platform_is_never_ranked() -> None:
    real = [made_result(made) for made in PLATFORMS]
    for index in range(len(real)):
        supposed = [what_if(result) if i == index else result for i, result in enumerate(real)]
        board = boards(frame(supposed))[0]
        row = board.rows[index]
        assert row.energy.value is not None, "it is shown"
        assert row.energy.place is None and row.score.place is None
        for number in (row.energy, row.score):
            assert number.unranked and "what-if" in number.unranked
        others = boards(frame([result for i, result in enumerate(real) if i != index]))[0]
        assert {name: r for name, r in ranks(board.rows).items() if name != row.platform} == ranks(
            others.rows
        )


def test_the_wide_frame_says_so() -> None:
    wide = leaderboard(frame([what_if(made_result(PLATFORMS[4])), made_result(PLATFORMS[5])]))
    assert wide["what_if"].tolist() == [True, False]
    assert wide["energy_rank"].isna().tolist() == [True, False]
