"""How near a training came to the networks that are shipped."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from nmbench.documents import read_document
from nmbench.training.provenance import SCHEMA, Provenance
from nmbench.training.tasks import Task


@dataclass(frozen=True)
class Comparison:
    """A network as shipped and as it was trained again.

    Attributes
    ----------
    shipped, retrained
        Accuracies of the same seed on the test set; ``shipped`` is None where nothing is shipped.
    margin
        How far below the retrained one may lie, see `margin`.
    within_seeds
        Whether the retrained accuracy lies among those of the shipped network's seeds.
    same_bytes
        The retrained file is the shipped one.
    cpu_s
        Of this training.
    """

    name: str
    shipped: float | None
    retrained: float
    margin: float | None
    within_seeds: bool | None
    same_bytes: bool
    cpu_s: float

    @property
    def difference(self) -> float | None:
        """Retrained less shipped."""
        return None if self.shipped is None else self.retrained - self.shipped

    @property
    def fell_short(self) -> bool:
        """Whether the retrained network is worse by more than the margin."""
        return self.difference is not None and self.margin is not None and self.difference < -self.margin


def compare(task: Task, made: Provenance) -> Comparison:
    """Compare a training with what the suite ships under the same name; the margin is `margin`'s."""
    path = task.shipped.with_suffix(".json")
    of_this_data = task.name == task.shipped.stem
    shipped = _shipped(path) if of_this_data and path.is_file() else None
    cpu_s = sum(run.cpu_s for run in made.seeds.runs)
    if shipped is None:
        return Comparison(task.name, None, made.accuracy.value, None, None, False, cpu_s)
    spread = [run.accuracy for run in shipped.seeds.runs]
    return Comparison(
        name=task.name,
        shipped=shipped.accuracy.value,
        retrained=made.accuracy.value,
        margin=margin(shipped),
        within_seeds=min(spread) <= made.accuracy.value <= max(spread),
        same_bytes=shipped.sha256 == made.sha256,
        cpu_s=cpu_s,
    )


def _shipped(path: Path) -> Provenance | None:
    """Read a shipped provenance; None for one of another schema, which states no seeds to compare with."""
    stated = json.loads(path.read_text(encoding="utf-8"))
    return read_document(path, Provenance) if stated.get("schema") == SCHEMA else None


def margin(shipped: Provenance) -> float:
    r"""Return by how much two trainings of a recipe may differ: :math:`2 \sqrt{2}` standard deviations.

    On another processor or with another torch a training is another draw, as with another seed: the
    difference of two draws has :math:`\sqrt{2}` times a draw's deviation, and 19 of 20 lie within twice that.
    The deviation is that of the shipped seeds; as three of them can agree by chance, it counts as at least
    that of a proportion on the test set, :math:`\sqrt{p (1 - p) / n}`.
    """
    p, n = shipped.accuracy.value, shipped.accuracy.n
    return 2 * math.sqrt(2) * max(shipped.seeds.sd or 0.0, math.sqrt(p * (1 - p) / n))
