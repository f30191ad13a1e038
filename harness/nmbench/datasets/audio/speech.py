"""eSpeak NG through ctypes: text becomes samples, the same ones every time.

The library keeps state from one utterance to the next (phases of its oscillators, echo buffer, two random
generators), and neither ``espeak_Terminate`` nor a new ``espeak_Initialize`` clears it: what a voice says
depends on what was said before. So each utterance is spoken by a library that was just loaded (about 1 ms),
with both generators seeded.

Source: eSpeak NG 1.52, ``speak_lib.h`` and ``espeak_ng.h``; the library and its data come with the package
``espeakng-loader``.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np
import numpy.typing as npt

from nmbench.errors import InputError

Pcm = npt.NDArray[np.int16]

RATE_HZ = 22_050
"""Sampling rate of every voice used here."""

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback, in this thread
_RATE, _PITCH = 1, 3  # espeakRATE, espeakPITCH
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_LONGEST_S = 10.0

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_ONE_SPEAKER = threading.Lock()


class SpeechError(InputError):
    """The synthesiser refused, or is not what this module was written for; the message says which call."""


@dataclass(frozen=True)
class Manner:
    """How something is said.

    Attributes
    ----------
    language
        Voice of eSpeak NG, e.g. ``en``, ``de``.
    variant
        Speaker: a file of ``espeak-ng-data/voices/!v``.
    pitch
        0..99; 50 is the variant's own.
    rate_wpm
        Words a minute, 80..450.
    seed
        Of the library's noise, below 2^31.
    """

    language: str
    variant: str
    pitch: int
    rate_wpm: int
    seed: int


def variants() -> tuple[str, ...]:
    """Name the speakers that the installed eSpeak NG has, sorted."""
    return tuple(sorted(p.name for p in Path(_data_path(), "voices", "!v").iterdir()))


def speak(text: str, manner: Manner) -> Pcm:
    """Say a text.

    The library is global state: calls from several threads wait for one another.

    Returns
    -------
    numpy.ndarray
        Samples at `RATE_HZ`, int16 ``[n]``, silence at both ends included.

    Raises
    ------
    SpeechError
        If the voice is unknown or the library cannot be used.
    """
    parts: list[Pcm] = []

    def keep(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: object) -> int:
        if samples and count > 0:
            parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        # a nonzero answer stops the synthesis
        return int(sum(map(len, parts)) > _LONGEST_S * RATE_HZ)

    callback = _CALLBACK(keep)
    with _ONE_SPEAKER, _fresh_library() as library:
        library.espeak_SetSynthCallback(callback)
        voice = f"{manner.language}+{manner.variant}"
        _check(library.espeak_SetVoiceByName(voice.encode()), f"voice {voice!r}")
        _check(library.espeak_SetParameter(_RATE, manner.rate_wpm, 0), f"rate {manner.rate_wpm}")
        _check(library.espeak_SetParameter(_PITCH, manner.pitch, 0), f"pitch {manner.pitch}")
        _seed(library, manner.seed)
        encoded = text.encode() + b"\0"
        _check(
            library.espeak_Synth(encoded, len(encoded), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None),
            f"text {text!r}",
        )
        _check(library.espeak_Synchronize(), "synchronize")
    if not parts:
        raise SpeechError("eSpeak NG", [f"{voice!r} gave no sound for {text!r}"])
    return np.concatenate(parts)


def trimmed(pcm: Pcm, share: float = 0.02, margin_s: float = 0.01) -> Pcm:
    """Cut the silence off both ends: what stays under ``share`` of the peak, but for a margin."""
    magnitude = np.abs(pcm.astype(np.int32))
    loud = np.flatnonzero(magnitude > share * magnitude.max(initial=0))
    if len(loud) == 0:
        return pcm[:0]
    margin = round(margin_s * RATE_HZ)
    return pcm[max(0, loud[0] - margin) : loud[-1] + 1 + margin]


@contextmanager
def _fresh_library() -> Iterator[ctypes.CDLL]:
    """Load the library with none of an earlier utterance's state, and unload it afterwards."""
    path = espeakng_loader.get_library_path()
    if _is_loaded(path):
        raise SpeechError(
            "eSpeak NG",
            [
                f"{path} is loaded already, by other code of this process or because this system does "
                "not unload libraries: its state would change what is said"
            ],
        )
    library = ctypes.CDLL(path)
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    library.espeak_ng_SetRandSeed.restype = None
    try:
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, _data_path().encode(), 0)
        if rate != RATE_HZ:
            raise SpeechError("eSpeak NG", [f"espeak_Initialize answered {rate} instead of {RATE_HZ} Hz"])
        try:
            yield library
        finally:
            library.espeak_Terminate()
    finally:
        _unload(library)


def _seed(library: ctypes.CDLL, seed: int) -> None:
    """Seed both generators: the formant synthesiser draws from its own, the Klatt one from the C library."""
    library.espeak_ng_SetRandSeed(seed)
    ctypes.CDLL(None).srand(ctypes.c_uint(seed))


def _is_loaded(path: str) -> bool:
    try:
        library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError:
        return False
    _unload(library)
    return True


def _unload(library: ctypes.CDLL) -> None:
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    close(library._handle)


def _data_path() -> str:
    path: str = espeakng_loader.get_data_path()
    return path


def _check(status: int, what: str) -> None:
    if status != 0:
        raise SpeechError("eSpeak NG", [f"{what} was refused (status {status})"])
