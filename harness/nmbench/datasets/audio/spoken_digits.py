"""Spoken digits in English and German by eSpeak NG's voices, heard by a cochlea model.

Synthetic: a synthesiser speaks, nobody was recorded. The classes and their order are those of the Spiking
Heidelberg Digits (Cramer et al. 2022, IEEE TNNLS 33, 2744). The test set's voices are not in the training
set, and variants that are one voice with small changes (``steph``, ``steph2``, ...) stand on one side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from nmbench.datasets.audio.cochlea import SENSOR
from nmbench.datasets.audio.encoder import Encoder, heard
from nmbench.datasets.audio.speech import RATE_HZ, Manner, speak, trimmed
from nmbench.datasets.events import Events, EventSet, train_and_test
from nmbench.datasets.reproducible import Draws
from nmbench.datasets.samples import make_samples
from nmbench.documents import check
from nmbench.errors import unknown

ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GERMAN = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
CLASSES = ENGLISH + GERMAN

# All variants of eSpeak NG 1.52 but whispers (caleb, whisper, whisperf), robots and monsters (Demonic,
# UniRobot, anikaRobot, robosoft..robosoft8, croak), echo chambers (RicishayMax..3, Marco), caricatures whose
# formants or pitch no speaker has (AnxiousAndy, Lee, Tweaky, kaukovalta, zac) and mere speed (fast).
_TRAIN = """
    Alicia Andrea Andy Denis Diogo Henrique Hugo Jacky Mario Michael Mike Mr_serious Nguyen Storm adam anika
    announcer antonio aunty belinda benjamin boris david ed edward edward2 f2 f3 f4 grandma gustave ian iven
    iven2 iven3 iven4 john klatt klatt2 klatt3 klatt4 klatt5 klatt6 linda m1 m3 m4 m6 m7 m8 marcelo max michel
    miguel mike2 norbert paul pedro quincy rob robert sandro travis
"""
_TEST = "Alex Annie Gene Gene2 Reed f1 f5 grandpa m2 m5 pablo shelby steph steph2 steph3 victor"
TRAIN_VOICES, TEST_VOICES = tuple(_TRAIN.split()), tuple(_TEST.split())
VOICES = TRAIN_VOICES + TEST_VOICES
"""Everybody; a sample's group is the index of its voice in here. An underscore stands for a space."""

PITCH = (35, 66)
RATE_WPM = (80, 126)
LOUDNESS_DB = -29.0


class Options(BaseModel):
    """What is spoken; the defaults are the published set, fewer give a part of it, sample for sample.

    Attributes
    ----------
    voices
        Names of `VOICES`, at least one of each split.
    renditions
        Times each voice says each word, at other pitch and rate.
    classes
        Indices of `CLASSES`.
    encoder
        The ear; ``fast`` is the published one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    voices: tuple[str, ...] = VOICES
    renditions: int = Field(4, ge=1, le=100)
    classes: tuple[Annotated[int, Field(ge=0, lt=len(CLASSES))], ...] = tuple(range(len(CLASSES)))
    encoder: Encoder = "fast"

    @field_validator("voices")
    @classmethod
    def _voices_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        faults = [unknown("voice", v, VOICES) for v in value if v not in VOICES]
        for split, side in (("training", TRAIN_VOICES), ("test", TEST_VOICES)):
            if not set(value) & set(side):
                faults.append(f"none of the {split} voices ({', '.join(side)})")
        if faults:
            raise ValueError("; ".join(faults))
        return value

    @field_validator("classes")
    @classmethod
    def _some_class_is_spoken(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value:
            raise ValueError("no class at all")
        return value


def generate(
    options: Mapping[str, object], seed: int, progress: Callable[[int, int], None]
) -> dict[str, EventSet]:
    """Speak and hear the digits.

    Parameters
    ----------
    options
        Of `Options`.
    seed
        Of pitches, rates and noise, >= 0; each sample depends on it and on its own voice, word and rendition.
    progress
        Called with samples done and all.

    Returns
    -------
    dict
        ``train`` and ``test``, by voice, word, rendition.

    Raises
    ------
    InputError
        If an option is faulty.
    """
    chosen = check(dict(options), Options, "source spoken-digits")
    samples = [
        (VOICES.index(voice), word, rendition)
        for voice in dict.fromkeys(chosen.voices)
        for word in dict.fromkeys(chosen.classes)
        for rendition in range(chosen.renditions)
    ]
    made = make_samples(lambda i: utterance(seed, *samples[i], chosen.encoder), len(samples), progress)
    return train_and_test(
        "spoken_digits",
        SENSOR,
        made,
        [word for _, word, _ in samples],
        [voice for voice, _, _ in samples],
        CLASSES,
        synthetic=True,
        test=[VOICES[voice] in TEST_VOICES for voice, _, _ in samples],
    )


def utterance(seed: int, voice: int, word: int, rendition: int, encoder: Encoder = "fast") -> Events:
    """Make one sample: the voice and word are indices of `VOICES` and `CLASSES`."""
    draws = Draws(seed, voice, word, rendition)
    manner = Manner(
        language="en" if word < len(ENGLISH) else "de",
        variant=VOICES[voice].replace("_", " "),
        pitch=int(draws.uniform(*PITCH)),
        rate_wpm=int(draws.uniform(*RATE_WPM)),
        seed=int(draws.raw(1)[0] >> 33),
    )
    pcm = trimmed(speak(CLASSES[word], manner))
    return heard(pcm, RATE_HZ, int(draws.raw(1)[0] >> 33), LOUDNESS_DB, encoder)
