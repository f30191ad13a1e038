"""Mapping: where a network's populations lie on a platform, and what its spikes have to travel."""

from __future__ import annotations

import math
from collections.abc import Mapping as Named
from dataclasses import dataclass
from typing import Literal

from nmbench.energy.card import Card
from nmbench.energy.conditions import USUAL, Conditions
from nmbench.energy.outline import Outline

Storage = Literal["dense", "sparse", "conv"]
"""How a projection's weights are kept: a full matrix, a list of synapses, a shared kernel."""


@dataclass(frozen=True)
class Placement:
    """One population on its cores.

    Attributes
    ----------
    cores
        Cores (NPUs, crossbar tiles); 0 where the population lies on none: the input.
    neurons_per_core
        On the fullest core.
    synapse_bytes
        Synapse memory of all its cores.
    binding
        The resource that decided the count of cores.
    cores_by_resource
        Cores that each resource alone would ask for.
    """

    population: str
    cores: int
    neurons_per_core: int
    synapse_bytes: int
    binding: str
    cores_by_resource: Named[str, int]


@dataclass(frozen=True)
class Route:
    """One projection on the platform.

    Attributes
    ----------
    storage
        How its weights are kept.
    tiles
        Crossbar tiles, rows x columns; ``(0, 0)`` where there are none.
    positions
        Matrix-vector products that one step takes: 1, for a convolution one a position.
    """

    projection: str
    storage: Storage
    tiles: tuple[int, int] = (0, 0)
    positions: int = 1


@dataclass(frozen=True)
class Stream:
    """Spikes of one population on their way to another.

    Attributes
    ----------
    source, target
        Indices of the populations.
    destinations
        Cores of the target that one spike reaches, on average: as many messages, however many
        projections (say, one a delay) they feed.
    """

    source: int
    target: int
    destinations: float


@dataclass(frozen=True)
class Mapping:
    """A network on a platform.

    Attributes
    ----------
    placements, routes
        In the order of the populations (the input among them) and of the projections.
    streams
        One for each two populations that projections join.
    chips, boards
        Switched on: in use, or as many as the run states; ``boards`` is 0 where the card has no board.
    input_cores
        Cores that take the input in from the host.
    mesh
        Columns and rows of the routers in use, as square as may be.
    conditions
        Under which it runs there.
    """

    outline: Outline
    placements: tuple[Placement, ...]
    routes: tuple[Route, ...]
    streams: tuple[Stream, ...]
    chips: int
    boards: int
    input_cores: int
    mesh: tuple[int, int]
    conditions: Conditions = USUAL

    @property
    def cores(self) -> int:
        """Cores in use, those of the input not among them."""
        return sum(placement.cores for placement in self.placements)

    @property
    def synapse_bytes(self) -> int:
        """Synapse memory in use."""
        return sum(placement.synapse_bytes for placement in self.placements)

    @property
    def hops(self) -> tuple[float, float]:
        """Mean hops of a message along columns and rows: a third of each side, for a random placement."""
        return self.mesh[0] / 3, self.mesh[1] / 3


@dataclass(frozen=True)
class Misfit:
    """Why a network does not fit: each limit that it breaks, with by how much."""

    faults: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Return all faults on one line."""
        return "; ".join(self.faults)


@dataclass(frozen=True)
class Switched:
    """Chips and boards that are on, whether the network needs them or the run states them."""

    chips: int
    boards: int


def switched_on(needed: int, card: Card, conditions: Conditions) -> Switched | Misfit:
    """Return what is on where a network needs so many chips.

    A run may state more chips or boards than that. Fewer, or more than the system has, is a `Misfit`.
    """
    faults = []
    chips = max(needed, conditions.chips or 0)
    if conditions.chips is not None and conditions.chips < needed:
        faults.append(short("chips", needed, conditions.chips))
    most = card.limit("chips")
    if most is not None and chips > most:
        faults.append(f"{over('chips', chips, most)}: {card.limits['chips'].conditions}")
    a_board = card.limit("chips_per_board")
    filled = math.ceil(chips / a_board) if a_board else 0
    boards = max(filled, conditions.boards or 0)
    if conditions.boards is not None and conditions.boards < filled:
        faults.append(short("boards", filled, conditions.boards))
    if most is not None and a_board and (conditions.boards or 0) > math.ceil(most / a_board):
        faults.append(over("boards", boards, math.ceil(most / a_board)))
    return Misfit(tuple(faults)) if faults else Switched(chips, boards)


def short(what: str, needed: int, stated: int) -> str:
    """Say that a run states fewer of something than the network needs."""
    return f"{what}: needs {needed:,}, the run states {stated:,} ({needed - stated:,} too few)"


def over(what: str, use: float, limit: float, unit: str = "") -> str:
    """Say that a limit is broken, and by how much."""
    unit = f" {unit}" if unit else ""
    return f"{what}: needs {use:,.0f}{unit}, the limit is {limit:,.0f} ({use - limit:,.0f} too many)"


def mesh(routers: int) -> tuple[int, int]:
    """Return columns and rows of the squarest mesh that holds the routers."""
    columns = math.isqrt(max(routers - 1, 0)) + 1
    return columns, math.ceil(routers / columns)
