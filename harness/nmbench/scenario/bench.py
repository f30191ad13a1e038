"""The bench: a session under test, the clock that times it, and what every run of it shares."""

from __future__ import annotations

import math
import time

from nmbench.platforms.base import Session
from nmbench.scenario.clock import ClockName, clock
from nmbench.scenario.desk import Desk, Expected
from nmbench.scenario.generator import Live, Tell
from nmbench.scenario.inputs import Asked
from nmbench.scenario.log import Log
from nmbench.scenario.scores import Origin
from nmbench.spikes import SpikeBatch

GRACE_S = 0.05
"""A platform that replies from a thread of its own may have more to say when all is answered."""


class Broken(Exception):
    """An answer that breaks the contract of a platform."""


class Bench:
    """A session under test.

    Parameters
    ----------
    tell
        Hears now and then how much of a run is over.
    in_order
        The platform answers in the order of the queries.
    """

    def __init__(
        self,
        session: Session,
        batch: SpikeBatch,
        expected: Expected,
        asked: Asked,
        clock_name: ClockName,
        origin: Origin,
        tell: Tell,
        *,
        in_order: bool = True,
    ) -> None:
        self.session, self.batch, self.expected = session, batch, expected
        self.asked, self.origin, self.tell = asked, origin, tell
        self.live = Live(session, batch)
        self.clock_name, self._in_order = clock_name, in_order

    def desk(
        self, bound_s: float = math.inf, expected: Expected | None = None, kind: type[Desk] = Desk
    ) -> Desk:
        """Return a desk whose clock starts now; it expects the accuracy run's answers, or others."""
        return kind(
            clock(self.clock_name), expected or self.expected, in_order=self._in_order, bound_s=bound_s
        )

    def close(self, desk: Desk) -> Log:
        """End a run.

        Raises
        ------
        Broken
            Something of the answers was not as asked: all of it by name.
        """
        if desk.answered < len(desk):
            desk.give_up()
            time.sleep(self.asked.settings.patience_s)  # who comes late is not who never comes
        elif type(self.session).submit is not Session.submit:
            time.sleep(GRACE_S)
        log = desk.close()
        if faults := desk.faults():
            raise Broken("; ".join(faults))
        return log
