from __future__ import annotations

import ctypes
from dataclasses import replace

import espeakng_loader
import numpy as np
import pytest

from nmbench.datasets.audio.speech import RATE_HZ, Manner, SpeechError, speak, trimmed, variants

MANNER = Manner("en", "f2", pitch=50, rate_wpm=120, seed=1)
OTHERS = (
    MANNER,
    replace(MANNER, variant="klatt2", seed=2),
    replace(MANNER, variant="Reed", seed=3),
    replace(MANNER, variant="Alicia", language="de"),
    replace(MANNER, variant="grandma", pitch=60),
)


def test_what_was_said_before_does_not_matter() -> None:
    alone = [speak("seven", m).tobytes() for m in OTHERS]
    for others in (OTHERS[::-1], OTHERS[2:] + OTHERS[:2]):
        for manner in others:
            speak("zwei", manner)
            assert speak("seven", manner).tobytes() == alone[OTHERS.index(manner)]
    assert len(set(alone)) == len(OTHERS)


@pytest.mark.parametrize("variant", ["f2", "Reed"])  # formant and Klatt synthesiser, each with breath
def test_the_seed_reaches_both_generators(variant: str) -> None:
    manner = replace(MANNER, variant=variant)
    once, again = (speak("six", manner).tobytes() for _ in range(2))
    assert once == again
    assert once != speak("six", replace(manner, seed=9)).tobytes()


def test_rate_and_pitch_are_heard() -> None:
    slow, fast = (len(trimmed(speak("seven", replace(MANNER, rate_wpm=rate)))) for rate in (80, 200))
    assert fast < 0.7 * slow

    def voice_hz(pitch: int) -> float:
        pcm = trimmed(speak("one", replace(MANNER, pitch=pitch))).astype(float)
        middle = pcm[len(pcm) // 4 : 3 * len(pcm) // 4]
        lags = np.arange(RATE_HZ // 500, RATE_HZ // 60)
        return RATE_HZ / lags[np.argmax([np.dot(middle[:-lag], middle[lag:]) for lag in lags])]

    assert 60 < voice_hz(20) < voice_hz(80) < 500


def test_the_two_languages_differ() -> None:
    assert speak("sechs", MANNER).tobytes() != speak("sechs", replace(MANNER, language="de")).tobytes()


def test_unknown_voices_are_refused() -> None:
    with pytest.raises(SpeechError, match=r"voice 'xx\+f2' was refused"):
        speak("one", replace(MANNER, language="xx"))
    speak("one", MANNER)


def test_a_library_that_someone_else_holds_is_refused() -> None:
    path = espeakng_loader.get_library_path()
    library = ctypes.CDLL(path)
    try:
        with pytest.raises(SpeechError, match="loaded already"):
            speak("one", MANNER)
    finally:
        close = ctypes.CDLL(None).dlclose
        close.argtypes = [ctypes.c_void_p]
        close(library._handle)
    assert len(speak("one", MANNER))


def test_variants_are_the_shipped_ones() -> None:
    assert {"f2", "klatt2", "whisper"} <= set(variants())


def test_trimming_takes_the_ends_only() -> None:
    quiet, sound = np.zeros(5_000, np.int16), np.full(3_000, 9_000, np.int16)
    sound[1_000:2_000] = 0
    margin = round(0.01 * RATE_HZ)
    assert np.array_equal(
        trimmed(np.concatenate([quiet, sound, quiet])),
        np.concatenate([quiet[:margin], sound, quiet[:margin]]),
    )
    assert np.array_equal(trimmed(sound), sound)
    assert len(trimmed(quiet)) == len(trimmed(quiet[:0])) == 0
