"""What event counts alone can do: models that see how often each address fired in a sample, never when.

The difference between a network's accuracy and the best of these is the workload's temporal gain. They are
retrained on counts (shuffling the times of a network's test events would overstate the need for time) and
the best on the test set is taken, which can only make the gain look smaller.
"""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from nmbench.training.data import Batches
from nmbench.training.provenance import CountsOnly
from nmbench.training.recipe import Recipe

EPOCHS = 40
SMOOTHING = 0.05

Counts = npt.NDArray[np.float32]


def best_on_counts(recipe: Recipe, train: Batches, test: Batches, classes: int, seed: int) -> CountsOnly:
    """Train every model on counts and return the best on the test set.

    The network sees the same augmented batches as the reference network, summed over the steps.
    """
    counts, labels = counted(test)
    found = {
        "logistic regression": _logistic(*counted(train), counts, labels),
        "cnn" if _is_picture(train.shape) else "mlp": _network(recipe, train, counts, labels, classes, seed),
    }
    best = max(found, key=lambda name: found[name])
    return CountsOnly(model=best, accuracy=found.pop(best), others=found)


def counted(batches: Batches) -> tuple[Counts, npt.NDArray[np.int64]]:
    """Return each sample's ``log(1 + events)`` per address, ``[n, *shape]``, and the labels."""
    summed = [torch.log1p(spikes.sum(0)).numpy() for spikes, _ in batches.all()]
    return np.concatenate(summed), batches.labels


def _logistic(
    train: Counts, train_labels: npt.NDArray[np.int64], test: Counts, test_labels: npt.NDArray[np.int64]
) -> float:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    model.fit(train.reshape(len(train), -1), train_labels)
    return float(model.score(test.reshape(len(test), -1), test_labels))


def _network(
    recipe: Recipe,
    train: Batches,
    test: Counts,
    test_labels: npt.NDArray[np.int64],
    classes: int,
    seed: int,
) -> float:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = nn.Sequential(*_layers(train.shape, classes))
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(train.labels) // train.size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    loss = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for _ in range(EPOCHS):
        for spikes, labels in train.epoch(rng, recipe.augment):
            optimiser.zero_grad(set_to_none=True)
            loss(model(torch.log1p(spikes.sum(0))), labels).backward()
            optimiser.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        scores: Tensor = model(torch.from_numpy(test))
    return float((scores.argmax(1).numpy() == test_labels).mean())


def _layers(shape: tuple[int, ...], classes: int) -> list[nn.Module]:
    if not _is_picture(shape):
        inputs = prod(shape)
        return [
            nn.Flatten(),
            nn.BatchNorm1d(inputs),
            *_block(nn.Linear(inputs, 256), nn.BatchNorm1d(256)),
            *_block(nn.Linear(256, 256), nn.BatchNorm1d(256)),
            nn.Linear(256, classes),
        ]
    return [
        nn.BatchNorm2d(shape[0]),
        *_block(nn.Conv2d(shape[0], 16, 5, 2, 2), nn.BatchNorm2d(16)),
        *_block(nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32)),
        *_block(nn.Conv2d(32, 64, 3, 2, 1), nn.BatchNorm2d(64)),
        nn.Flatten(),
        nn.LazyLinear(128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, classes),
    ]


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and min(shape[1:]) >= 8


def _block(synapses: nn.Module, norm: nn.Module) -> list[nn.Module]:
    return [synapses, norm, nn.ReLU(), nn.Dropout(0.2)]
