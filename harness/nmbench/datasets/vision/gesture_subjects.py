"""Who gestures in a set: subjects who do each gesture some times; the last ones are for the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nmbench.datasets.events import Events, EventSet, train_and_test
from nmbench.datasets.samples import make_samples
from nmbench.datasets.vision.event_camera import CameraOptions
from nmbench.datasets.vision.gesture_figure import SIDE
from nmbench.errors import unknown

Subjects = Annotated[int, Field(ge=2, le=10_000)]
Trials = Annotated[int, Field(ge=1, le=1_000)]
Gestures = Annotated[tuple[str, ...], Field(strict=False)]
FrameUs = Annotated[int, Field(ge=500, le=10_000)]


class SubjectOptions(BaseModel):
    """Options of a set of gestures; a set gives its classes, and the defaults of the published version."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    CLASSES: ClassVar[tuple[str, ...]]

    subjects: Subjects
    """Subjects, each with a body and habits of its own."""
    test_subjects: int = Field(ge=1)
    """The last so many subjects are for the test."""
    trials: Trials
    """Times that each subject does each gesture."""
    gestures: Gestures
    """Classes that are made; labels are those of all classes whatever is chosen."""
    duration_us: int
    """Length of a sample, microseconds."""
    frame_us: FrameUs
    """Time between two frames that the camera sees, microseconds."""
    camera: CameraOptions = CameraOptions()
    """Constants of the sensor."""

    @field_validator("gestures")
    @classmethod
    def _known(cls, gestures: tuple[str, ...]) -> tuple[str, ...]:
        faults = [unknown("gesture", name, cls.CLASSES) for name in gestures if name not in cls.CLASSES]
        if faults or not gestures or len(set(gestures)) < len(gestures):
            raise ValueError("; ".join(faults) or "name at least one gesture, and none twice")
        return gestures

    @model_validator(mode="after")
    def _split(self) -> SubjectOptions:
        if self.test_subjects >= self.subjects:
            raise ValueError(f"test_subjects must be below subjects ({self.subjects})")
        return self


def perform(
    source: str,
    asked: SubjectOptions,
    make: Callable[[int, int, int], Events],
    progress: Callable[[int, int], None],
) -> dict[str, EventSet]:
    """Let every subject do every gesture: ``make(subject, label, trial)`` gives a sample's events.

    Returns
    -------
    dict
        ``train`` and ``test``, of different subjects; ``groups`` are the subjects.
    """
    chosen: Iterable[int] = [asked.CLASSES.index(name) for name in asked.gestures]
    plan = [(s, c, t) for s in range(asked.subjects) for c in chosen for t in range(asked.trials)]
    subjects, labels, _ = zip(*plan, strict=True)
    return train_and_test(
        source,
        (SIDE, SIDE, 2),
        make_samples(lambda row: make(*plan[row]), len(plan), progress),
        labels,
        subjects,
        asked.CLASSES,
        synthetic=True,
        test=[subject >= asked.subjects - asked.test_subjects for subject in subjects],
    )
