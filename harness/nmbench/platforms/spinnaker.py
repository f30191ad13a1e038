"""SpiNNaker 1 and SpiNNaker 2, modelled."""

from __future__ import annotations

from nmbench.energy.card import load_card
from nmbench.energy.spinnaker import price_spinnaker
from nmbench.energy.spinnaker2 import price_spinnaker2
from nmbench.platforms.modelled import ModelledPlatform


def spinnaker() -> ModelledPlatform:
    """SpiNNaker 1 on 48-chip boards in real time."""
    return ModelledPlatform("SpiNNaker 1, 48-chip boards, real time", load_card("spinnaker"), price_spinnaker)


def spinnaker2() -> ModelledPlatform:
    """SpiNNaker 2: the cheaper of event path and MAC array, layer by layer."""
    summary = "SpiNNaker 2, event path or MAC array by layer"
    return ModelledPlatform(summary, load_card("spinnaker2"), price_spinnaker2)
