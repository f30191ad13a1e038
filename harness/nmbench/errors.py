"""Faults of the user's input: collected, named with their place, told in one message."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Input that cannot be used; carries every fault found, not only the first.

    Parameters
    ----------
    subject
        What was read: a file, or the option of a command.
    faults
        One line a fault, each with its place inside the subject and the allowed values.
    """

    def __init__(self, subject: str, faults: Iterable[str]) -> None:
        self.subject = subject
        self.faults = tuple(faults)
        super().__init__(str(self))

    def __str__(self) -> str:
        """One fault stands on one line, several stand as a list under the subject."""
        if len(self.faults) == 1:
            return f"{self.subject}: {self.faults[0]}"
        return "\n".join([f"{self.subject}: {len(self.faults)} faults", *(f"  - {f}" for f in self.faults)])


class DataMissing(Exception):
    """A data set that is not on this machine; the message says what to fetch and where to put it."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is not known, with the near misses first and then all that is allowed.

    Examples
    --------
    >>> unknown("platform", "loihl", ["akida", "loihi"])
    "unknown platform 'loihl': did you mean 'loihi'? (known: akida, loihi)"
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=2, cutoff=0.6)
    hint = f" did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
    return f"unknown {kind} {name!r}:{hint} (known: {', '.join(names) or 'none'})"
