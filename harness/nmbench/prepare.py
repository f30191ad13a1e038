"""A task made ready: data loaded, transformed and encoded, its network lowered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmbench.cell import Task
from nmbench.datasets import sources, transforms
from nmbench.datasets.encode import duration_covered, encode
from nmbench.datasets.events import EventSet, Marks
from nmbench.datasets.recordings import Recordings
from nmbench.datasets.spike_files import Encoded
from nmbench.datasets.streamed import encoded_recordings
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
    marks
        Of long recordings, in place of classes: what stands in them when.
    """

    task: Task
    batch: SpikeBatch
    labels: npt.NDArray[np.int64]
    marks: Marks | None
    network: Network
    workload_id: WorkloadId
    network_id: NetworkId


def encoded(workload: Workload, events: EventSet) -> tuple[SpikeBatch, float]:
    """Transform and encode events as the workload says; the second is the share of events in its window."""
    changed = transforms.apply(events, ((t.name, t.options) for t in workload.transforms))
    dt_s, steps = workload.dialect.dt, workload.window.steps
    return encode(changed, dt_s, steps), duration_covered(changed, dt_s, steps)


def streamed(workload: Workload, recordings: Recordings, cache: Path, progress: Progress) -> Encoded:
    """Transform and encode a real set as the workload says, a few samples at a time, into files.

    The spikes are those that `encoded` makes of the whole set.
    """
    steps: list[tuple[str, Mapping[str, object]]] = [(t.name, t.options) for t in workload.transforms]
    window = workload.dialect.dt, workload.window.steps
    return encoded_recordings(
        recordings, steps, lambda events: transforms.apply(events, steps), window, cache, progress
    )


def prepare(tasks: Iterable[Task], cache: Path, root: Path, progress: Progress) -> list[Prepared]:
    """Make tasks ready; events are loaded once for all sizes that share them.

    Raises
    ------
    DataMissing
        If real data are not there.
    InputError
        If a file is faulty, or a network does not fit its workload.
    """
    inputs: dict[tuple[str, str], tuple[SpikeBatch, EventSet | Recordings, WorkloadId]] = {}
    made = []
    for task in tasks:
        key = (task.workload.sha256, task.data)
        if key not in inputs:
            inputs[key] = _input(task, cache, root, progress)
        batch, events, workload_id = inputs[key]
        network, network_id = read_network(task)
        _fits(task, network, batch, events)
        made.append(Prepared(task, batch, events.labels, events.marks, network, workload_id, network_id))
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
) -> tuple[SpikeBatch, EventSet | Recordings, WorkloadId]:
    events: EventSet | Recordings
    if sources.is_streamed(task.source):
        events = sources.open_recordings(task.source, "test", root, progress)
        made = streamed(task.workload, events, cache, progress)
        batch, covered, sha256 = made.batch, made.covered, made.data_sha256
    else:
        events = sources.load(task.source, ("test",), cache, root, progress)["test"]
        batch, covered = encoded(task.workload, events)
        sha256 = events.sha256()
    published = task.source.sha256
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


def _fits(task: Task, network: Network, batch: SpikeBatch, events: EventSet | Recordings) -> None:
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
    if (task.workload.decision == "spotting") != (events.marks is not None):
        said = "needs marks" if events.marks is None else "takes no marks"
        raise InputError(f"workload {task.workload.name}", [f"decision {task.workload.decision} {said}"])
