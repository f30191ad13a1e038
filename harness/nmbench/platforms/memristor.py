"""Memristor crossbars, modelled: RRAM (NeuRRAM) and PCM (HERMES)."""

from __future__ import annotations

from nmbench.energy.card import load_card
from nmbench.energy.crossbar import price_crossbar
from nmbench.platforms.modelled import ModelledPlatform


def memristor_rram() -> ModelledPlatform:
    """NeuRRAM: 48 crossbars of 256 x 128 signed weights."""
    return ModelledPlatform("RRAM crossbars (NeuRRAM)", load_card("memristor-rram"), price_crossbar)


def memristor_pcm() -> ModelledPlatform:
    """HERMES: 64 crossbars of 256 x 256 signed weights."""
    return ModelledPlatform("PCM crossbars (IBM HERMES)", load_card("memristor-pcm"), price_crossbar)
