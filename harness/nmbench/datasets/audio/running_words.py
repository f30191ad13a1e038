"""Running audio: words of the twenty digits among other words, pauses and noise, heard by the cochlea model.

Synthetic: eSpeak NG speaks, nobody was recorded. One voice speaks a recording; where each digit begins and
ends is written down (`nmbench.datasets.events.MARK`). The test set's voices, and its other words, are not in
the training set; the split of voices is that of ``spoken-digits``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from nmbench.datasets.audio.cochlea import SENSOR, levelled, spikes
from nmbench.datasets.audio.speech import RATE_HZ, Manner, speak, trimmed
from nmbench.datasets.audio.spoken_digits import CLASSES as WORDS
from nmbench.datasets.audio.spoken_digits import ENGLISH, TEST_VOICES, TRAIN_VOICES, VOICES
from nmbench.datasets.events import EventSet, Marks, event_set, marks_of
from nmbench.datasets.reproducible import Draws
from nmbench.datasets.samples import make_samples
from nmbench.documents import check

NOTHING = "nothing"
CLASSES = (*WORDS, NOTHING)
"""What a network decides between; no mark has the last one."""

TRAIN_FILLERS = (
    ("en", "water garden window yellow music paper letter morning people table summer river open under "
     "mother after early never always together"),
    ("de", "Wasser Garten Fenster Musik Papier Brief Morgen Leute Sommer Fluss offen unter Mutter immer "
     "niemals zusammen Straße gestern Apfel Haus"),
)  # fmt: skip
TEST_FILLERS = (
    ("en", "orange kitchen Monday father doctor animal forest hello picture evening"),
    ("de", "Küche Montag Vater Arzt Wald hallo Abend Bild Schule Tasche"),
)
"""Words that are none of the digits: those of the test are not in the training set."""

PITCH = (35, 66)
RATE_WPM = (100, 150)
LOUDNESS_DB = (-32.0, -26.0)
NOISE_DB = (-60.0, -40.0)
"""Of a recording's background, in dB re a full-scale square wave: 8 to 34 dB under its speech."""
PAUSE_S, LONG_PAUSE_S = (0.12, 0.6), (0.8, 2.0)
LONG_SHARE, FILLER_SHARE = 0.15, 0.4
MARGIN_S = 0.5
"""Before the first word and after the last: a late detection of it still falls into the recording."""
OCTAVES = 12

Float = npt.NDArray[np.float64]


class Options(BaseModel):
    """What is recorded; the defaults are the published set, fewer give a part of it, recording for recording.

    Attributes
    ----------
    train, test
        Recordings of each split; voices take turns.
    seconds
        Of a recording.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: int = Field(126, ge=1, le=10_000)
    test: int = Field(32, ge=1, le=10_000)
    seconds: float = Field(20.0, ge=2.0, le=120.0)


@dataclass(frozen=True, eq=False)
class Recording:
    """A waveform at `RATE_HZ`, full scale 1, and its digits: start, end (microseconds) and class of each."""

    waveform: Float
    words: tuple[tuple[int, int, int], ...]


def generate(
    options: Mapping[str, object], seed: int, progress: Callable[[int, int], None]
) -> dict[str, EventSet]:
    """Speak and hear the recordings.

    Parameters
    ----------
    options
        Of `Options`.
    seed
        Of everything, >= 0; each recording depends on it, its split and its number alone.
    progress
        Called with recordings done and all.

    Returns
    -------
    dict
        ``train`` and ``test`` with marks; a sample's group is the index of its voice in
        `nmbench.datasets.audio.spoken_digits.VOICES`, its label -1.

    Raises
    ------
    InputError
        If an option is faulty.
    """
    chosen = check(dict(options), Options, "source running-words")
    count = chosen.train + chosen.test
    marks: dict[int, Marks] = {}

    def make(i: int) -> npt.NDArray[np.void]:
        test = i >= chosen.train
        number = i - chosen.train if test else i
        made = recording(seed, number, test=test, seconds=chosen.seconds)
        marks[i] = marks_of([(0, *word) for word in made.words])
        return spikes(made.waveform, RATE_HZ, int(Draws(seed, 1 + test, number, 1).raw(1)[0] >> 33))

    heard = make_samples(make, count, progress)
    sets = {}
    for split, first, n in (("train", 0, chosen.train), ("test", chosen.train, chosen.test)):
        own = [marks[first + i].copy() for i in range(n)]
        for i, part in enumerate(own):
            part["sample"] = i
        sets[split] = event_set(
            name=f"running_words/{split}",
            sensor=SENSOR,
            samples=heard[first : first + n],
            labels=np.full(n, -1),
            groups=[VOICES.index(voice(i, test=split == "test")) for i in range(n)],
            classes=CLASSES,
            synthetic=True,
            marks=np.concatenate(own),
        )
    return sets


def voice(number: int, *, test: bool) -> str:
    """Name who speaks a recording of a split: its voices take turns."""
    side = TEST_VOICES if test else TRAIN_VOICES
    return side[number % len(side)]


def recording(seed: int, number: int, *, test: bool, seconds: float) -> Recording:
    """Make one recording of a split by its number."""
    draws = Draws(seed, 1 + test, number)
    samples = round(seconds * RATE_HZ)
    sound = np.zeros(samples)
    words: list[tuple[int, int, int]] = []
    at = round(MARGIN_S * RATE_HZ)
    while True:
        word, said = _said(draws, voice(number, test=test), TEST_FILLERS if test else TRAIN_FILLERS)
        at += round(_pause_s(draws) * RATE_HZ)
        if at + len(said) > samples - round(MARGIN_S * RATE_HZ):
            break
        sound[at : at + len(said)] += said
        if word is not None:
            start_us, end_us = (round(n * 1_000_000 / RATE_HZ) for n in (at, at + len(said)))
            words.append((start_us, end_us, word))
        at += len(said)
    return Recording(sound + noise(draws, samples, draws.uniform(*NOISE_DB)), tuple(words))


def noise(draws: Draws, samples: int, level_db: float) -> Float:
    """Make pink noise as Voss did: white noises that change half as often from octave to octave, summed.

    Additions alone, so the same bits everywhere (Gardner 1978, Scientific American 238(4), 16).
    """
    total = np.zeros(samples)
    for octave in range(OCTAVES):
        held = 1 << octave
        total += np.repeat(draws.unit(-(-samples // held)), held)[:samples]
    total -= OCTAVES / 2
    return np.asarray(total * (10.0 ** (level_db / 20.0) / np.sqrt(OCTAVES / 12)))


def _said(draws: Draws, variant: str, fillers: tuple[tuple[str, str], ...]) -> tuple[int | None, Float]:
    """Draw a word and say it; None stands for one that is no digit."""
    filler = draws.uniform(0.0, 1.0) < FILLER_SHARE
    if filler:
        known = [(language, word) for language, words in fillers for word in words.split()]
        language, text = known[int(draws.raw(1)[0] >> 33) % len(known)]
        word = None
    else:
        word = int(draws.raw(1)[0] >> 33) % len(WORDS)
        language, text = "en" if word < len(ENGLISH) else "de", WORDS[word]
    manner = Manner(
        language=language,
        variant=variant.replace("_", " "),
        pitch=int(draws.uniform(*PITCH)),
        rate_wpm=int(draws.uniform(*RATE_WPM)),
        seed=int(draws.raw(1)[0] >> 33),
    )
    level_db = draws.uniform(*LOUDNESS_DB)
    return word, levelled(trimmed(speak(text, manner)), RATE_HZ, level_db)


def _pause_s(draws: Draws) -> float:
    long = draws.uniform(0.0, 1.0) < LONG_SHARE
    return draws.uniform(*(LONG_PAUSE_S if long else PAUSE_S))
