"""Intel's Loihi 1 and Loihi 2, modelled."""

from __future__ import annotations

from nmbench.energy.card import load_card
from nmbench.energy.loihi import price_loihi, price_loihi2
from nmbench.platforms.modelled import ModelledPlatform


def loihi() -> ModelledPlatform:
    """Loihi 1, with constants fitted to measurements of silicon."""
    return ModelledPlatform("Intel Loihi 1, constants fitted to silicon", load_card("loihi"), price_loihi)


def loihi2() -> ModelledPlatform:
    """Loihi 2: measured static power and step time, Loihi 1's energies per event."""
    summary = "Intel Loihi 2, step time measured, energies per event estimated"
    return ModelledPlatform(summary, load_card("loihi2"), price_loihi2)
