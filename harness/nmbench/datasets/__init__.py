"""Sources of labelled event streams, synthetic and real, and what is done to them before a network."""

from pathlib import Path

from nmbench.stale import forget_stale_kernels

forget_stale_kernels(Path(__file__).parent)
