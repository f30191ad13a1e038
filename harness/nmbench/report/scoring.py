"""What a scenario is judged on: the metric that is its score, and what stands beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from nmbench.report.ranking import Better

SUFFIXES: Mapping[str, str] = {"J": "_j", "s": "_s", "1/s": "_per_s", "1": ""}
"""Ends of the wide frame's columns, by unit."""


@dataclass(frozen=True)
class Measure:
    """A metric as boards and figures show it.

    Attributes
    ----------
    metric
        Its name in the records.
    noun
        Names it in a sentence.
    column
        Stem of its columns in the wide frame.
    heading, short
        Of its column in a table, wide or narrow.
    axis
        Label of an axis.
    """

    metric: str
    noun: str
    column: str
    unit: str
    heading: str
    short: str
    axis: str
    better: Better = "lower"

    @property
    def suffix(self) -> str:
        """End of its columns in the wide frame, which says the unit."""
        return SUFFIXES[self.unit]


ACCURACY = Measure("accuracy", "accuracy", "accuracy", "1", "Accuracy", "Accuracy", "accuracy, %", "higher")
F1 = Measure("f1", "F1", "f1", "1", "F1", "F1", "F1, %", "higher")


@dataclass(frozen=True)
class Scoring:
    """The numbers of a scenario's boards.

    Attributes
    ----------
    energy, score
        Are ranked.
    beside
        Are shown, and not ranked.
    quality
        What the gate asks for.
    batches
        Whether boards show how many samples were handed over at once.
    figure
        Begins the name of the score's figure.
    """

    energy: Measure
    score: Measure
    figure: str
    beside: tuple[Measure, ...] = ()
    quality: Measure = ACCURACY
    batches: bool = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All that boards show, in their order."""
        return self.energy, self.score, *self.beside


INFERENCE = Measure(
    "energy_per_inference", "energy", "energy", "J", "Energy per inference", "Energy", "energy per inference"
)
DECISION = Measure(
    "energy_per_decision", "energy", "energy", "J", "Energy per decision", "Energy a decision",
    "energy per decision",
)  # fmt: skip
LATENCY_P90 = Measure(
    "latency_p90", "latency", "latency_p90", "s", "Latency p90", "Latency p90", "latency, 90th percentile"
)
LATENCY_P99 = Measure(
    "latency_p99", "latency", "latency_p99", "s", "Latency p99", "Latency p99", "latency, 99th percentile"
)
AT_RATE = Measure(
    "latency_p99", "latency", "latency_p99", "s", "Latency p99 at it", "p99 at it", "latency, 99th percentile"
)
RATE = Measure(
    "server_rate", "rate", "server_rate", "1/s", "Rate within bound", "Rate in bound",
    "queries per second within the bound", "higher",
)  # fmt: skip
THROUGHPUT = Measure(
    "throughput", "throughput", "throughput", "1/s", "Throughput", "Throughput", "samples per second",
    "higher",
)  # fmt: skip
DECISION_P99 = Measure(
    "decision_latency_p99", "decision latency", "decision_latency_p99", "s", "Decision latency p99",
    "Decision p99", "decision latency, 99th percentile",
)  # fmt: skip
MISSES = Measure(
    "deadline_misses", "deadlines", "deadline_misses", "1", "Deadlines missed", "Missed", "deadlines missed"
)
FIRST = Measure(
    "time_to_first_correct", "first correct decision", "time_to_first_correct", "s", "First correct",
    "First correct", "time to the first correct decision",
)  # fmt: skip
DELAY = Measure(
    "detection_delay_p50", "detection delay", "detection_delay_p50", "s", "Detected after", "Detected after",
    "from a word's end to its detection",
)  # fmt: skip

SCORINGS: Mapping[str, Scoring] = {
    "SingleStream": Scoring(INFERENCE, LATENCY_P90, "latency"),
    "MultiStream": Scoring(INFERENCE, LATENCY_P99, "latency", batches=True),
    "Server": Scoring(INFERENCE, RATE, "rate", (AT_RATE,), batches=True),
    "Offline": Scoring(INFERENCE, THROUGHPUT, "throughput", batches=True),
    "Streaming": Scoring(DECISION, DECISION_P99, "decisions", (MISSES, FIRST)),
}
"""By scenario, in the order of boards."""

SPOTTING = Scoring(DECISION, DECISION_P99, "decisions", (MISSES, DELAY), F1)
"""Of Streaming where words are spotted."""


def scoring_of(scenario: str, metrics: Collection[str]) -> Scoring:
    """Return what results of a scenario are judged on, by the names of the metrics that they state."""
    return SPOTTING if F1.metric in metrics else SCORINGS[scenario]


ORDER = tuple(SCORINGS)
