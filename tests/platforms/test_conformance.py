from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nmbench.energy.cost import Cost, Term
from nmbench.network.network import Network
from nmbench.platforms import example
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Reply, Session, Stream
from nmbench.platforms.conformance import CHECKS
from nmbench.platforms.nonconformity import Nonconformity
from nmbench.registry import platforms
from nmbench.spikes import SpikeBatch


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
@pytest.mark.parametrize("name", platforms())
def test_built_in_platforms_conform(name: str, check: Callable[[Platform], None]) -> None:
    check(platforms()[name].make())


@pytest.mark.parametrize("name", platforms())
def test_registry_and_info_agree(name: str) -> None:
    entry = platforms()[name]
    info = entry.make().info
    assert info.name == name
    if entry.family != "test":
        assert info.family == entry.family


class Faulty(Platform):
    """Loihi, with one thing broken."""

    def __init__(self, spoil: Callable[[Answer, SpikeBatch], Answer] | None = None, **info: Any) -> None:
        self.good = platforms()["loihi"].make()
        self.spoil = spoil or (lambda answer, _: answer)
        self.changes = info

    @property
    def info(self) -> PlatformInfo:
        return replace(self.good.info, **self.changes)

    def load(self, network: Network) -> Session:
        return Spoilt(self.good.load(network), self.spoil)


class Spoilt(Session):
    def __init__(self, good: Session, spoil: Callable[[Answer, SpikeBatch], Answer]) -> None:
        self.good = good
        self.spoil = spoil

    def infer(self, batch: SpikeBatch) -> Answer:
        return self.spoil(self.good.infer(batch), batch)


def with_energy(
    change: Callable[[Cost, SpikeBatch], dict[str, Term]],
) -> Callable[[Answer, SpikeBatch], Answer]:
    def spoil(answer: Answer, batch: SpikeBatch) -> Answer:
        assert answer.cost is not None
        changed = {**answer.cost.energy_j, **change(answer.cost, batch)}
        return replace(answer, cost=replace(answer.cost, energy_j=changed))

    return spoil


def of(values: np.ndarray) -> dict[str, Term]:
    return {"spoilt": Term("chip_dynamic", values.astype(np.float64))}


FAULTS: dict[str, tuple[str, Platform]] = {
    "bad name": ("info", Faulty(name="My Platform")),
    "no card": ("info", Faulty(card=None)),
    "wrong shape": ("answers", Faulty(lambda a, _: replace(a, outputs=a.outputs[:, :-1]))),
    "not finite": ("answers", Faulty(lambda a, _: replace(a, outputs=np.full_like(a.outputs, np.inf)))),
    "order matters": (
        "from_rest",
        Faulty(
            lambda a, b: replace(a, outputs=a.outputs + np.arange(len(b), dtype=np.float32)[:, None, None])
        ),
    ),
    "size matters": ("from_rest", Faulty(with_energy(lambda _, b: of(np.full(len(b), len(b)))))),
    "no cost": ("cost", Faulty(lambda a, _: replace(a, cost=None))),
    "negative": ("cost", Faulty(with_energy(lambda _, b: of(np.full(len(b), -1e-9))))),
    "NaN": ("cost", Faulty(with_energy(lambda _, b: of(np.full(len(b), np.nan))))),
    "falls": ("growth", Faulty(with_energy(lambda _, b: of(np.full(len(b), 1e3 / (1 + len(b.index))))))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_suite_finds(fault: str) -> None:
    check, platform = FAULTS[fault]
    with pytest.raises(Nonconformity):
        CHECKS[check](platform)


class Queried(Faulty):
    """Loihi, with one thing of its session broken."""

    def __init__(self, **broken: Any) -> None:
        super().__init__()
        self.broken = broken

    def load(self, network: Network) -> Session:
        session = Spoilt(self.good.load(network), lambda answer, _: answer)
        for name, value in self.broken.items():
            setattr(session, name, value.__get__(session))
        return session


def twice(self: Spoilt, numbers: list[int], batch: SpikeBatch, reply: Reply) -> None:
    for _ in range(2):
        Session.submit(self, numbers, batch, reply)


def wrong_number(self: Spoilt, numbers: list[int], batch: SpikeBatch, reply: Reply) -> None:
    Session.submit(self, [0 for _ in numbers], batch, reply)


def other_answer(self: Spoilt, numbers: list[int], batch: SpikeBatch, reply: Reply) -> None:
    Session.submit(self, numbers, batch, lambda number, outputs: reply(number, outputs + 1))


class Forgetful(Stream):
    """Begins anew with every piece."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def feed(self, piece: SpikeBatch) -> np.ndarray:
        return self.session.infer(piece).outputs[0]

    def rest(self) -> None:
        pass


def forgetful(self: Spoilt) -> Stream:
    return Forgetful(self)


def cheaper(self: Spoilt, counts: Any, batch: int = 1) -> Cost | None:
    cost = self.good.price(counts, batch)
    assert cost is not None
    return replace(cost, energy_j={n: replace(t, values=t.values / 2) for n, t in cost.energy_j.items()})


QUERY_FAULTS: dict[str, tuple[str, Platform]] = {
    "answers twice": ("queries", Queried(submit=twice)),
    "answers under another number": ("queries", Queried(submit=wrong_number)),
    "answers otherwise": ("queries", Queried(submit=other_answer)),
    "forgets its state": ("stream", Queried(stream=forgetful)),
    "prices otherwise": ("price", Queried(price=cheaper)),
}


@pytest.mark.parametrize("fault", QUERY_FAULTS)
def test_suite_finds_in_a_session(fault: str) -> None:
    check, platform = QUERY_FAULTS[fault]
    with pytest.raises(Nonconformity):
        CHECKS[check](platform)


def test_suite_finds_a_platform_that_is_random() -> None:
    rng = np.random.default_rng()
    noisy = Faulty(lambda a, _: replace(a, outputs=a.outputs + rng.random(a.outputs.shape, np.float32)))
    with pytest.raises(Nonconformity, match="otherwise"):
        CHECKS["deterministic"](noisy)


def test_refusing_platform_passes() -> None:
    class Refuses(Faulty):
        def refuse(self, network: Network) -> str | None:
            return "axons: needs 9, the limit is 1 (8 too many)"

        def load(self, network: Network) -> Session:
            raise AssertionError("loaded what it refused")

    for check in CHECKS.values():
        check(Refuses())


def test_example_spikes_are_nested() -> None:
    few, many = example.example_batch(0.1), example.example_batch(0.5)
    for sample in range(len(few)):
        for step in range(few.steps):
            assert set(few.row(sample, step)) <= set(many.row(sample, step))
