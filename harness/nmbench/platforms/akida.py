"""BrainChip's Akida AKD1000, modelled from third-party measurements of its hardware."""

from __future__ import annotations

from nmbench.energy.akida import price_akida
from nmbench.energy.card import load_card
from nmbench.platforms.modelled import ModelledPlatform


def akida() -> ModelledPlatform:
    """AKD1000 on its PCIe board: one stateless pass, feed-forward networks alone."""
    summary = "BrainChip Akida AKD1000, one stateless pass, third-party measurements"
    return ModelledPlatform(summary, load_card("akida"), price_akida)
