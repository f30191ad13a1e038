"""Cost: the energy and time of inferences, term by term, with the boundary that each term belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nmbench.quantity import NESTED, Boundary

PerSample = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Term:
    """One summand of a cost.

    Attributes
    ----------
    boundary
        The innermost boundary that includes it: dynamic energy of events ``chip_dynamic``, leakage and
        idle power of the chip ``chip_total``, host and board ``system_without_io``, moving the samples in
        and out ``system_with_io``.
    values
        Joules, or seconds, per sample, float64 ``[B]``.
    static
        Spent whether or not a network is loaded: idle power by the time of the run. Published "dynamic"
        energies leave it out.
    standing
        A power by the time of the run that flows on while a loaded network waits for input; static ones do.
    """

    boundary: Boundary
    values: PerSample
    static: bool = False
    standing: bool = False


@dataclass(frozen=True, eq=False)
class Cost:
    """Energy and latency of B inferences as sums of named terms.

    Attributes
    ----------
    energy_j, latency_s
        Terms by name. Latency terms follow one another in time: they add up.
    energy_factor, latency_factor
        The equation's own 90 % error by boundary (`Card.model_error`); the boundaries named here are
        those that the model states. What the constants' intervals add is `uncertainty`'s.
    """

    energy_j: Mapping[str, Term]
    latency_s: Mapping[str, Term]
    energy_factor: Mapping[Boundary, float]
    latency_factor: Mapping[Boundary, float]

    def energy(self, boundary: Boundary) -> PerSample:
        """Return joules per sample inside the boundary, float64 ``[B]``."""
        return _inside(self.energy_j, boundary)

    def dynamic(self, boundary: Boundary) -> PerSample:
        """Return joules per sample inside the boundary less the static ones, float64 ``[B]``.

        What most papers call dynamic: the run's energy less idle power by its time.
        """
        return _inside({n: t for n, t in self.energy_j.items() if not t.static}, boundary)

    def standing(self, boundary: Boundary) -> PerSample:
        """Return joules per sample inside the boundary of what flows on while the platform waits, ``[B]``."""
        standing = {n: t for n, t in self.energy_j.items() if t.static or t.standing}
        return _inside(standing, boundary) if _included(standing, boundary) else 0 * self.energy(boundary)

    def latency(self, boundary: Boundary) -> PerSample:
        """Return seconds per sample inside the boundary, float64 ``[B]``."""
        return _inside(self.latency_s, boundary)


def join(parts: Sequence[Cost]) -> Cost:
    """Join costs of consecutive samples on the same platform; they name the same terms."""
    first = parts[0]
    return replace(
        first,
        energy_j=_join_terms([p.energy_j for p in parts]),
        latency_s=_join_terms([p.latency_s for p in parts]),
    )


def breakdown(terms: Mapping[str, Term], boundary: Boundary) -> dict[str, float]:
    """Return the mean of each term inside the boundary; they add up to the mean total."""
    return {name: float(term.values.mean()) for name, term in _included(terms, boundary).items()}


def _join_terms(parts: Sequence[Mapping[str, Term]]) -> dict[str, Term]:
    if any(set(p) != set(parts[0]) for p in parts):
        raise ValueError("costs with different terms cannot be joined")
    return {
        name: replace(term, values=np.concatenate([p[name].values for p in parts]))
        for name, term in parts[0].items()
    }


def _included(terms: Mapping[str, Term], boundary: Boundary) -> dict[str, Term]:
    inside = NESTED[: NESTED.index(boundary) + 1]
    return {name: term for name, term in terms.items() if term.boundary in inside}


def _inside(terms: Mapping[str, Term], boundary: Boundary) -> PerSample:
    included = _included(terms, boundary)
    if not included:
        raise ValueError(f"no term lies inside {boundary}")
    total: PerSample = np.sum([term.values for term in included.values()], axis=0, dtype=np.float64)
    return total
