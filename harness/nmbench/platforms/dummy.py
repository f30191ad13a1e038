"""The smallest platform: it guesses. An example of the contract, and chance level to compare with."""

from __future__ import annotations

import numpy as np

from nmbench.network.network import Network
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session
from nmbench.spikes import SpikeBatch


class Dummy(Platform):
    """Answers class 0, or with a seed a class drawn for each sample from its own spikes."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    @property
    def info(self) -> PlatformInfo:
        """It runs for real, if not much: the harness times it; it states no energy."""
        return PlatformInfo(
            name="dummy",
            version=1,
            family="dummy",
            summary="guesses without looking at the network: chance level",
            clock="wall",
            options={} if self.seed is None else {"seed": self.seed},
        )

    def load(self, network: Network) -> Session:
        """Remember how many classes there are."""
        return _Guesses(network.populations[network.output].size, self.seed)


class _Guesses(Session):
    def __init__(self, classes: int, seed: int | None) -> None:
        self.classes = classes
        self.seed = seed

    def infer(self, batch: SpikeBatch) -> Answer:
        """Answer from the sample's hash, so that neither the batch nor its order matters."""
        guesses = np.zeros(len(batch), np.int64)
        if self.seed is not None:
            digests = [int(batch.take([b]).sha256()[:15], 16) for b in range(len(batch))]
            guesses[:] = [np.random.default_rng([self.seed, d]).integers(self.classes) for d in digests]
        outputs = np.zeros((len(batch), batch.steps, self.classes), np.float32)
        outputs[np.arange(len(batch)), :, guesses] = 1
        return Answer(outputs)
