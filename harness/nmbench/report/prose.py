"""The words of a report that stand in every one."""

from __future__ import annotations

CAVEATS = """\
## What these numbers are not

- **Not all measured.** A *modelled* energy or latency is what published constants make of the event
  counts that the simulator recorded, or of a time that was measured: of a modelled chip, nobody ran
  this network on it here. Measured, simulated, modelled and reported numbers are never ranked
  together.
- **Not all of a system.** The boundary says what is inside: *chip dynamic* only what events cost,
  *chip total* leakage and idle power too, *system without I/O* host and board, *system with I/O*
  moving the samples in and out, *wall clock* what the harness itself timed. One number can differ
  tenfold between two boundaries; boundaries are never ranked together, and a rank says nothing
  beyond its own.
- **Not exact.** Intervals are of 95 % for measurements and of 90 % for models. Where two overlap,
  the order of the platforms is open: the brackets behind a rank say how far.
- **Not performance at any quality.** Results whose accuracy missed the target are shown and not
  ranked. A value that is missing is missing: it is never counted as 0.
"""

SYNTHETIC = """\
- **Not the real data set.** Boards marked SYNTHETIC ran on generated recordings of the same
  structure; accuracies on them do not carry over to the data sets that they resemble.
"""

QUICK = """\
- **Not a submission.** The *quick* tier takes seconds and few repetitions; it is never submittable.
"""


VIRTUAL = """\
- **Not all by the wall clock.** Modelled platforms meet Server, MultiStream, Offline and Streaming in
  virtual time: queries queue and wait as they would, and an answer takes as long as the model says.
  No host and no network stands between. Their intervals are those of the same traffic on a platform
  that is as fast, and as slow, as the model's interval allows.
"""


def caveats(*, synthetic: bool, quick: bool, virtual: bool) -> str:
    """Return what the numbers are not, with what holds for these data, this tier and this clock."""
    said = ((VIRTUAL, virtual), (SYNTHETIC, synthetic), (QUICK, quick))
    return CAVEATS + "".join(text for text, holds in said if holds)
