"""A task made ready: data loaded, transformed and encoded, its network lowered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.cell import Task
from nmbench.datasets import sources, transforms
from nmbench.datasets.encode import duration_covered, encode
from nmbench.datasets.events import EventSet
from nmbench.errors import InputError
from nmbench.network.lower import lower
from nmbench.network.network import Network
from nmbench.network.nir_file import read_nir
from nmbench.progress import Progress
from nmbench.record import NetworkId, WorkloadId
from nmbench.spec import Workload
from nmbench.spikes import SpikeBatch


@dataclass(frozen=True, eq=False)
class Prepared:
    """What every platform of a task is handed: the same bytes for all.

    Attributes
    ----------
    batch, labels
        The test set, encoded, and its classes, int64 ``[B]``.
    """

    task: Task
    batch: SpikeBatch
    labels: npt.NDArray[np.int64]
    network: Network
    workload_id: WorkloadId
    network_id: NetworkId


def encoded(workload: Workload, events: EventSet) -> tuple[SpikeBatch, float]:
    """Transform and encode events as the workload says; the second is the share of events in its window."""
    changed = transforms.apply(events, ((t.name, t.options) for t in workload.transforms))
    dt_s, steps = workload.dialect.dt, workload.window.steps
    return encode(changed, dt_s, steps), duration_covered(changed, dt_s, steps)


def prepare(tasks: Iterable[Task], cache: Path, root: Path, progress: Progress) -> list[Prepared]:
    """Make tasks ready; events are loaded once for all sizes that share them.

    Raises
    ------
    DataMissing
        If real data are not there.
    InputError
        If a file is faulty, or a network does not fit its workload.
    """
    inputs: dict[tuple[str, str], tuple[SpikeBatch, EventSet, WorkloadId]] = {}
    made = []
    for task in tasks:
        key = (task.workload.sha256, task.data)
        if key not in inputs:
            inputs[key] = _input(task, cache, root, progress)
        batch, events, workload_id = inputs[key]
        network, network_id = read_network(task)
        _fits(task, network, batch, events)
        made.append(Prepared(task, batch, events.labels, network, workload_id, network_id))
    return made


def read_network(task: Task) -> tuple[Network, NetworkId]:
    """Read and lower the task's reference network."""
    graph, sha256 = read_nir(task.network_path)
    network = lower(graph, task.workload.dialect, sha256)
    parameters = sum(int(np.count_nonzero(p.weight)) for p in network.projections)
    identity = NetworkId(
        name=task.size,
        sha256=sha256,
        dialect=network.dialect,
        neurons=network.neurons,
        parameters=parameters,
    )
    return network, identity


def _input(
    task: Task, cache: Path, root: Path, progress: Progress
) -> tuple[SpikeBatch, EventSet, WorkloadId]:
    events = sources.load(task.source, ("test",), cache, root, progress)["test"]
    batch, covered = encoded(task.workload, events)
    sha256, published = events.sha256(), task.source.sha256
    if published and sha256 != published:
        progress.note(
            f"{task.workload.name}: the {task.source.source} test set here is not the published one "
            f"({sha256[:12]} instead of {published[:12]}): the results say so and are not comparable"
        )
    identity = WorkloadId(
        name=task.workload.name,
        version=task.workload.version,
        sha256=task.workload.sha256,
        data=task.data,
        source=task.source.source,
        synthetic=events.synthetic,
        data_sha256=sha256,
        published_data=None if published is None else sha256 == published,
        samples=len(events),
        covered=covered,
    )
    return batch, events, identity


def _fits(task: Task, network: Network, batch: SpikeBatch, events: EventSet) -> None:
    """Check that the network takes this input and knows these classes."""
    faults = []
    entrance, exit_ = network.populations[0], network.populations[network.output]
    if entrance.size != batch.size:
        faults.append(
            f"takes {entrance.size} inputs {entrance.shape}, the workload gives {batch.size} {batch.shape}"
        )
    if exit_.size != len(events.classes):
        faults.append(f"answers {exit_.size} classes, the data have {len(events.classes)}")
    if faults:
        raise InputError(str(task.network_path), faults)
