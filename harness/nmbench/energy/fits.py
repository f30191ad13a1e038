"""Which constants are fitted on which card, and which are scaled from another's: read by `fitting`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nmbench.energy.card import Card
from nmbench.energy.measurements import Quantity

LEAST = 1.25
"""Least 90 % factor of an equation's error (MODELS.md, Intervals), unless a fit says otherwise."""

Rule = Callable[[Card, Card, str], float]
"""Value of a constant on the second card, from its value on the first."""


@dataclass(frozen=True)
class Free:
    """Constants that one free factor moves together.

    Attributes
    ----------
    like
        The card whose values they are multiples of; None: all are equal.
    """

    constants: tuple[str, ...]
    like: str | None = None


@dataclass(frozen=True)
class Fit:
    """Constants of a card that are fitted on its own rows.

    Attributes
    ----------
    quantities
        Measured quantities that count; None: all that the card states, static power aside.
    least
        Least 90 % factor of the equation's error, whatever the residuals are: few rows of one laboratory
        agree better among themselves than the equation does with others.
    """

    card: str
    free: tuple[Free, ...]
    quantities: frozenset[Quantity] | None = None
    least: float = LEAST

    def takes(self, quantity: Quantity) -> bool:
        """Say whether a quantity counts."""
        return self.quantities is None or quantity in self.quantities


@dataclass(frozen=True)
class Scaled:
    """Constants of a card that are those of another, scaled.

    Attributes
    ----------
    factor
        Half width of the 90 % interval, as a factor: by our judgement.
    """

    card: str
    base: str
    constants: tuple[str, ...]
    rule: Rule
    factor: float


TDP_W = {"gpu-rtx2070": 175.0, "gpu-rtx4090": 450.0, "gpu-v100": 300.0}
"""Vendor's data sheets, from memory."""

CORE_HZ = {"cpu-epyc-7702": 128 * 2.0e9, "cpu-xeon-e5-2680v3": 24 * 2.5e9}
"""Cores of a machine by their nominal clock; vendors' data sheets, from memory."""


def same(of: Card, to: Card, constant: str) -> float:
    """Take the value as it is: a latency, or the host's launches."""
    return of.value(constant)


def by_bandwidth(of: Card, to: Card, constant: str) -> float:
    """Scale a time by memory bandwidth."""
    return of.value(constant) * of.value("memory_bandwidth") / to.value("memory_bandwidth")


def by_core_hz(of: Card, to: Card, constant: str) -> float:
    """Scale a time by cores and clock."""
    return of.value(constant) * CORE_HZ[of.name] / CORE_HZ[to.name]


def by_power(of: Card, to: Card, constant: str) -> float:
    """Take the same share of what lies between idle power and TDP."""
    idle_w = of.value("p_idle")
    share = (of.value(constant) - idle_w) / (TDP_W[of.name] - idle_w)
    return to.value("p_idle") + share * (TDP_W[to.name] - to.value("p_idle"))


def one_by_one(*constants: str) -> tuple[Free, ...]:
    """Make each constant free by itself."""
    return tuple(Free((constant,)) for constant in constants)


BUSY = Free(("p_launch", "p_load"))
HOST = ("t_call", "t_launch", "t_sample")
RTX = "gpu-rtx2070"

STEPS: tuple[Fit | Scaled, ...] = (
    Fit("cpu-dense", (*one_by_one(*HOST), BUSY)),
    Fit("gpu-k4000", (*one_by_one(*HOST), BUSY)),
    Fit("gpu-jetson-tx1", (Free(HOST, like="gpu-k4000"), BUSY)),
    Fit("vpu-movidius-ncs", (*one_by_one("t_call", "t_launch"), BUSY)),
    Scaled("gpu-jetson", "gpu-jetson-tx1", HOST, same, 2.0),
    Fit(RTX, one_by_one("t_population", "t_update", "t_row", "t_event", "p_launch", "p_load")),
    Fit("cpu-ryzen-2600x", (*one_by_one("t_update", "t_input", "t_row", "t_event"), BUSY)),
    *(
        Scaled(card, RTX, constants, rule, factor)
        for card in ("gpu-rtx4090", "gpu-v100")
        for constants, rule, factor in (
            (("t_row",), same, 2.0),
            (("t_update", "t_event", "t_stream"), by_bandwidth, 2.0),
            (("p_launch", "p_load"), by_power, 1.4),
        )
    ),
    *(
        Scaled(card, RTX, constants, rule, factor)
        for card in ("gpu-h100", "gpu-a100")
        for constants, rule, factor in (
            (("t_row",), same, 2.0),
            (("t_update", "t_event"), by_bandwidth, 2.0),
        )
    ),
    *(Scaled(card, RTX, ("t_population",), same, 2.0) for card in ("gpu-rtx4090", "gpu-h100", "gpu-a100")),
    Fit("gpu-v100", one_by_one("t_population"), frozenset({"real_time_factor"})),
    Fit("cpu-epyc-7702", (*one_by_one("t_event"), BUSY)),
    Scaled("cpu-xeon-e5-2680v3", "cpu-epyc-7702", ("t_event",), by_core_hz, 2.0),
    Fit("cpu-xeon-e5-2680v3", (*one_by_one("t_exchange"), BUSY)),
    Fit("loihi", one_by_one("p_io", "t_io_base", "t_io_per_input_core"), least=1.1),
    # a board's total power: what is fitted is the smaller part of it
    Fit("spinnaker-spinn3", one_by_one("p_core_on", "e_row"), least=1.02),
    Fit(
        "memristor-rram",
        one_by_one("e_mvm_base", "e_mvm_per_bits", "t_mvm_base", "t_mvm_per_bits"),
        least=1.05,
    ),
)
"""In the order of the dependencies."""
