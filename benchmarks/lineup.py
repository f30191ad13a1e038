"""Who runs what: nmbench and its peers, each with its environment, its script and its workloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".venvs"
PEERS_BRUNEL_SIZES = (1000, 4000, 10000)
OWN_BRUNEL_SIZES = (30000, 100000)

DENSE = ("W1", "W1s", "W2")
CONV = ("nm", "ds")
BRUNEL = tuple(f"{kind}-{n}" for kind in ("W3", "W3-DC") for n in PEERS_BRUNEL_SIZES)
LARGE = tuple(f"{kind}-{n}" for kind in ("W3", "W3-DC") for n in OWN_BRUNEL_SIZES)
"""W3 where nmbench runs alone: the peers would take minutes, and a list of every synapse gigabytes."""
MICROCIRCUIT = {"microcircuit-0.1": 0.1, "microcircuit": 1.0}
"""Share of the neurons, and of the synapses of each."""
BIOLOGICAL = (*BRUNEL, *LARGE, *MICROCIRCUIT)
"""Large recurrent networks: timed by the biological second, batch 1, one and two threads apart."""
QUICK = (*DENSE, *CONV, "W3-1000", "W3-DC-1000", "microcircuit-0.1")
WORKLOADS = (*DENSE, *CONV, *BIOLOGICAL)


@dataclass(frozen=True)
class Entrant:
    """A script that times one implementation.

    Attributes
    ----------
    environment
        Folder under ``.venvs`` made by ``make peers``; empty: this interpreter.
    threads
        Numbers of threads, and as many cores, that it is run with.
    limit_s
        After so long it has failed, building included.
    memory_gib
        It is not started where less is free.
    """

    peer: str
    environment: str
    script: str
    workloads: tuple[str, ...]
    threads: tuple[int, ...] = (1, 2)
    limit_s: int = 900
    memory_gib: float = 0

    @property
    def python(self) -> Path | None:
        """Return the interpreter of its environment, None where that is not installed."""
        path = ENVIRONMENTS / self.environment / "bin" / "python"
        return path if path.exists() else None


OURS = "nmbench"
ENTRANTS = (
    Entrant(OURS, "", "ours.py", (*DENSE, *CONV)),
    Entrant(OURS, "", "ours_brunel.py", (*BRUNEL, *LARGE)),
    Entrant(OURS, "", "ours_microcircuit.py", tuple(MICROCIRCUIT)),
    Entrant("jax.lax.scan", "jax", "peers/dense_jax.py", DENSE),
    Entrant("jax.lax.scan", "jax", "peers/conv_jax.py", CONV),
    Entrant("TorchScript", "torch", "peers/dense_torchscript.py", DENSE),
    Entrant("PyTorch loop", "torch", "peers/dense_torch.py", DENSE),
    Entrant("PyTorch loop", "torch", "peers/conv_torch.py", CONV),
    Entrant("snnTorch", "torch", "peers/dense_snntorch.py", DENSE),
    Entrant("Norse", "torch", "peers/dense_norse.py", DENSE),
    Entrant("SpikingJelly", "torch", "peers/dense_spikingjelly.py", DENSE),
    Entrant("sinabs", "torch", "peers/dense_sinabs.py", DENSE),
    Entrant("Brian 2", "brian2", "peers/dense_brian2.py", DENSE),
    Entrant("Brian 2", "brian2", "peers/brunel_brian2.py", BRUNEL),
    Entrant("NEST", "nest", "peers/dense_nest.py", DENSE),
    Entrant("NEST", "nest", "peers/brunel_nest.py", BRUNEL),
    Entrant("Brian 2", "brian2", "peers/microcircuit_brian2.py", ("microcircuit-0.1",)),
    Entrant("NEST", "nest", "peers/microcircuit_nest.py", ("microcircuit-0.1",)),
    # more synapses of one sort than NEST takes on one thread; five minutes to build, 14 GiB
    Entrant(
        "NEST", "nest", "peers/microcircuit_nest.py", ("microcircuit",), (2,), limit_s=1800, memory_gib=16
    ),
)
