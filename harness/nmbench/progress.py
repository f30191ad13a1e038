"""What long work tells whoever waits for it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener: a live display in a terminal, plain lines elsewhere, nothing in a test."""

    def step(self, task: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` parts of the task are finished."""

    def note(self, text: str) -> None:
        """Say something that must not be missed: a cache that was rebuilt, data that differ."""


class Silence:
    """A listener that says nothing."""

    def step(self, task: str, done: int, total: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""
