from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nmbench.report.ranking import Place, places

SPANS = st.lists(
    st.tuples(st.floats(0.1, 9), st.floats(0, 2), st.floats(0, 2)).map(
        lambda t: (t[0] - t[1], t[0], t[0] + t[2])
    ),
    min_size=1,
    max_size=8,
)


@given(SPANS)
def test_a_rank_lies_within_its_own_bounds(spans: list[tuple[float, float, float]]) -> None:
    for place in places(spans):
        assert 1 <= place.best <= place.rank <= place.worst <= place.of == len(spans)


@given(SPANS)
def test_ranks_follow_values(spans: list[tuple[float, float, float]]) -> None:
    found = places(spans)
    for a, first in zip(spans, found, strict=True):
        for b, second in zip(spans, found, strict=True):
            assert (a[1] < b[1]) == (first.rank < second.rank)
            if a[2] < b[0]:
                assert first.best < second.best and first.worst < second.worst


@given(SPANS)
def test_where_more_is_better_the_order_turns_round(spans: list[tuple[float, float, float]]) -> None:
    turned = places([(-hi, -value, -lo) for lo, value, hi in spans])
    assert places(spans, "higher") == turned
    assert max(spans, key=lambda span: span[1])[1] == spans[[p.rank for p in turned].index(1)][1]


def test_places_by_hand() -> None:
    found = places([(1, 2, 3), (2.5, 4, 5), (8, 9, 10), (4.5, 4.5, 6)])
    assert found == [Place(1, 1, 2, 4), Place(2, 1, 3, 4), Place(4, 4, 4, 4), Place(3, 2, 3, 4)]
    assert [str(p) for p in found] == ["1 (1–2)", "2 (1–3)", "4", "3 (2–3)"]  # noqa: RUF001 - the dash of ranges
    assert str(places([(1, 1, 1)])[0]) == "1 of 1"
