"""A suite in miniature with a sheet and a network's provenance."""

from __future__ import annotations

import json
from pathlib import Path

from suites import write_suite

SHEET = """\
schema: nmbench.sheet/1
workload: digits
data: synthetic
published: "2026-11-24"
creators:
  - {name: Ada}
  - {name: Makers, kind: organization, url: "https://example.org/makers"}
licences:
  - {spdx: CC-BY-4.0, covers: pictures}
citation: "@misc{digits}"
languages: [en]
keywords: [events]
unit: writers
motivation: Why it was made.
composition: What a sample is.
splits: How it is split.
collection: How it was collected.
preprocessing: What was done.
personal: Nobody is in it.
uses: [tests]
misuses: [all else]
limits: [few samples]
distribution: Made on the first run.
maintenance: None.
picture: Few digits.
"""

ZERO = 64 * "0"


def provenance(test_sha256: str = ZERO, gain: float = 0.01) -> dict[str, object]:
    """Return what a sheet reads of a provenance file, with fields beside that it does not know."""
    accuracy = {"value": 0.995, "wilson_95": [0.98, 0.999], "n": 200, "by": "nmbench.simulator"}
    return {
        "schema": "nmbench.provenance/2",
        "size": "base",
        "command": "nmbench train digits",
        "cpu_s": 12.0,
        "parameters": 1234,
        "synapses": 1200,
        "test": {"samples": 200, "sha256": test_sha256},
        "accuracy": accuracy,
        "accuracy_float": accuracy,
        "accuracy_int4": {**accuracy, "value": 0.9, "wilson_95": [0.85, 0.94]},
        "seeds": {"runs": [{"seed": 0}, {"seed": 1}], "mean": 0.99, "sd": 0.004, "mean_float": 0.99},
        "counts_only": {"model": "cnn", "accuracy": 0.99 - gain, "others": {}},
        "temporal_gain": gain,
        "early_answer": [{"time_s": 0.01, "accuracy": 0.2}, {"time_s": 0.03, "accuracy": 0.99}],
        "activity": {"input_events": 100.0, "spikes": 20.0, "synaptic_events": 4567.0, "layers": []},
    }


def write_sheets(folder: Path, sheet: str = SHEET, gain: float = 0.01) -> Path:
    """Write the suite with its sheet into ``folder`` and return it."""
    write_suite(folder)
    (folder / "sheets").mkdir()
    (folder / "sheets" / "digits.yaml").write_text(sheet)
    (folder / "base.json").write_text(json.dumps(provenance(gain=gain)))
    return folder
