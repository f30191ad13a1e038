"""The training loop: AdamW under one cycle, pruning, a rounded last phase, and a stop on held-out samples."""

from __future__ import annotations

import copy
import ctypes
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nmbench.training.data import Batches
from nmbench.training.model import DenseSynapses, Net, log_mean_softmax
from nmbench.training.recipe import Dense, Recipe

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of two options of glibc's ``mallopt``."""

KEPT_BYTES = 1 << 30

Score = tuple[float, float]
"""Accuracy and negative loss: of two epochs with the same accuracy the one with the lower loss is better."""


@dataclass(frozen=True)
class Moment:
    """How training stands.

    Attributes
    ----------
    epoch, epochs
        From 1; ``batch`` of ``batches`` in this epoch are done.
    loss, accuracy, rate
        Means over the epoch so far: on augmented training samples, spikes per neuron and step.
    held_out
        Accuracy on the held-out samples after the last whole epoch that was tested on them, or None.
    left_s
        Wall time that the rest takes if it goes on like this.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    rate: float
    held_out: float | None
    left_s: float


Listener = Callable[[Moment], None]


@dataclass(frozen=True)
class Fitted:
    """A trained network.

    Attributes
    ----------
    net
        In evaluation mode, on the CPU.
    epoch
        Whose weights these are, from 1.
    epochs_run
        All that were trained: the later ones were no better.
    held_out
        Accuracy on the held-out samples at ``epoch``; None where none were held out.
    cpu_s
        CPU time of the training, seconds.
    """

    net: Net
    epoch: int
    epochs_run: int
    held_out: float | None
    cpu_s: float


def fit(
    recipe: Recipe,
    batches: Batches,
    classes: int,
    seed: int,
    held_out: Batches | None = None,
    listener: Listener = lambda moment: None,
    device: str = "cpu",
) -> Fitted:
    """Train a network by the recipe.

    Parameters
    ----------
    recipe
        Structure, schedule and augmentation.
    batches
        What is trained on.
    classes
        Size of the readout.
    seed
        Of the weights, the delays, the order of samples, dropout and augmentation.
    held_out
        What decides between the quantised epochs; without it the last epoch's weights are returned.
    listener
        Told after every batch.
    """
    seed_everything(seed)
    started, began = time.process_time(), time.monotonic()
    rng = np.random.default_rng(seed)
    net = Net(batches.shape, classes, recipe).to(device).train()
    per_epoch = len(batches.labels) // recipe.batch
    optimiser, schedule = _schedule(net, recipe, recipe.epochs * per_epoch)
    best: tuple[Score, int, Net] | None = None
    seen: float | None = None
    epoch = 0
    for epoch in range(1, recipe.epochs + 1):
        _begin(net, recipe, epoch)
        tally = _Tally()
        for spikes, labels in batches.epoch(rng, recipe.augment):
            tally.add(*_step(net, recipe, spikes.to(device), labels.to(device), optimiser))
            schedule.step()
            done = (epoch - 1) * per_epoch + tally.count
            left = (time.monotonic() - began) / done * (recipe.epochs * per_epoch - done)
            listener(Moment(epoch, recipe.epochs, tally.count, per_epoch, *tally.means(), seen, left))
        if held_out is not None and net.bits is not None:
            score = evaluate(net, held_out, device)
            seen = score[0]
            if best is None or score > best[0]:
                best = score, epoch, copy.deepcopy(net)
            if epoch - best[1] >= recipe.patience:
                break
    cpu_s = time.process_time() - started
    if best is None:
        return Fitted(net.cpu().eval(), epoch, epoch, None, cpu_s)
    (accuracy, _), chosen, kept = best
    return Fitted(kept.cpu().eval(), chosen, epoch, accuracy, cpu_s)


def _begin(net: Net, recipe: Recipe, epoch: int) -> None:
    """Prune and quantise where this epoch's turn has come."""
    if recipe.prune_epochs is not None:
        first, last = recipe.prune_epochs
        if first <= epoch <= last:
            progress = (epoch - first + 1) / (last - first + 1)
            for spec, layer in zip(recipe.layers, net.stack, strict=True):
                if isinstance(spec, Dense) and spec.density < 1 and isinstance(layer.synapses, DenseSynapses):
                    # much at first, little at last: Zhu & Gupta 2017, arXiv:1710.01878
                    layer.synapses.prune(spec.density + (1 - spec.density) * (1 - progress) ** 3)
    if epoch == recipe.epochs - recipe.quantised_epochs + 1:
        net.quantise(recipe.weight_bits)


def _step(
    net: Net, recipe: Recipe, spikes: Tensor, labels: Tensor, optimiser: torch.optim.Optimizer
) -> tuple[float, float, float]:
    """Take one step; return the batch's loss, accuracy and mean rate."""
    trace, fired = net(spikes)
    loss, accuracy = task_loss(trace, labels, recipe.label_smoothing)
    rate = [layer.mean((0, 1)) for layer in fired]
    paid = [(r - recipe.rate_limit).relu().square().mean() for r in rate]
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss + recipe.rate_penalty * torch.stack(paid).sum())
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach()), accuracy, float(torch.stack([r.detach().mean() for r in rate]).mean())


class _Tally:
    """Running means of an epoch."""

    def __init__(self) -> None:
        self.count = 0
        self._sums = np.zeros(3)

    def add(self, *values: float) -> None:
        self._sums += values
        self.count += 1

    def means(self) -> tuple[float, float, float]:
        loss, accuracy, rate = (self._sums / self.count).tolist()
        return loss, accuracy, rate


def task_loss(trace: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, float]:
    """Return the loss of a batch and its share of right decisions.

    Parameters
    ----------
    trace
        The readout's membrane, ``[T, B, classes]``.
    labels
        ``[B]``: one class a sample, decided by the time mean of the softmax; or ``[T, B]``: one class a step,
        decided in that step, -1 where any answer will do.
    """
    if labels.ndim == 1:
        scores, wanted = log_mean_softmax(trace), labels
    else:
        asked = labels >= 0
        scores, wanted = trace.log_softmax(-1)[asked], labels[asked]
    right = float((scores.detach().argmax(1) == wanted).double().mean())
    return cross_entropy(scores, wanted, smoothing), right


def evaluate(net: Net, batches: Batches, device: str = "cpu") -> Score:
    """Return accuracy and negative loss on every sample, in evaluation mode; the mode is left as it was."""
    training = net.training
    net.eval()
    right, loss, count = 0.0, 0.0, 0
    with torch.no_grad():
        for spikes, labels in batches.all():
            part, accuracy = task_loss(net(spikes.to(device))[0], labels.to(device), 0.0)
            right += accuracy * len(labels)
            loss += float(part) * len(labels)
            count += len(labels)
    net.train(training)
    return right / count, -loss / count


def seed_everything(seed: int) -> None:
    """Make torch's draws and sums repeatable: one seed, one thread, deterministic algorithms only."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # every tensor that is made empty here is written before it is read: filling it took a fifth of the time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    _keep_memory()


def _keep_memory() -> None:
    """Let glibc keep the memory of freed tensors: to take it from the system again is to zero every page."""
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for option in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            libc.mallopt(option, KEPT_BYTES)


def cross_entropy(scores: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Return the mean cross-entropy of log probabilities ``[B, classes]`` with smoothed labels."""
    picked = scores.gather(1, labels[:, None]).mean()
    return -((1.0 - smoothing) * picked + smoothing * scores.mean())


def _schedule(
    net: Net, recipe: Recipe, steps: int
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.OneCycleLR]:
    """Weights decay; time constants learn three times faster; biases and norms do neither."""
    weights: list[nn.Parameter] = []
    taus: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in net.named_parameters():
        if "tau" in name:
            taus.append(parameter)
        else:
            (weights if parameter.ndim > 1 else rest).append(parameter)
    rates = [recipe.learning_rate, recipe.learning_rate, 3.0 * recipe.learning_rate]
    groups = [
        {"params": weights, "lr": rates[0], "weight_decay": recipe.weight_decay},
        {"params": rest, "lr": rates[1], "weight_decay": 0.0},
        {"params": taus, "lr": rates[2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups)
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=steps, pct_start=0.3)
