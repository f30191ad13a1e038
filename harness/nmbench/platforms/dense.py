"""Engines that compute every multiply-accumulate, modelled at batch 1: two GPUs and a CPU."""

from __future__ import annotations

from nmbench.energy.card import load_card
from nmbench.energy.dense import price_dense
from nmbench.platforms.modelled import ModelledPlatform


def gpu_h100() -> ModelledPlatform:
    """NVIDIA H100, board power."""
    return ModelledPlatform("NVIDIA H100, dense, batch 1", load_card("gpu-h100"), price_dense)


def gpu_jetson() -> ModelledPlatform:
    """NVIDIA Jetson Orin Nano, module power."""
    return ModelledPlatform("NVIDIA Jetson Orin Nano, dense, batch 1", load_card("gpu-jetson"), price_dense)


def cpu_dense() -> ModelledPlatform:
    """Intel Xeon E5-2630 of 2019, calibrated on Blouw's runs."""
    return ModelledPlatform("Intel Xeon E5-2630, dense, batch 1", load_card("cpu-dense"), price_dense)
