"""The dialect: what NIR leaves open and decides whether two platforms agree."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Dialect(BaseModel):
    """How a NIR graph, which is in continuous time, is advanced in steps.

    The defaults are the preset ``nmbench``. With ``a = exp(-dt/tau_syn)`` and ``b = exp(-dt/tau_mem)``
    one step of a CubaLIF neuron under it is::

        i = a*i + (dt/tau_syn)*w_in*(W x + bias)
        v = b*v + (1 - b)*(v_leak + r*i)
        s = v > v_threshold;  v = v_reset where s
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dt: float = Field(gt=0, description="duration of a step, s")
    integrator: Literal["euler", "exponential", "exponential_decay_euler_gain"] = Field(
        "exponential_decay_euler_gain",
        description="decay and gain of a leaky state; the last: exponential decay, synapse gain dt/tau_syn, "
        "membrane gain 1 - exp(-dt/tau_mem)",
    )
    order: Literal["synapse_membrane_threshold", "membrane_synapse_threshold"] = Field(
        "synapse_membrane_threshold",
        description="the membrane sees this step's current, or the last's",
    )
    tie: Literal["gt", "ge"] = Field("gt", description="v above the threshold, or at it, spikes")
    reset: Literal["to_v_reset", "subtract"] = "to_v_reset"
    recurrent_delay: Literal[1, 2] = Field(1, description="steps from a spike to its delivery within a cycle")
    output_delay: Literal[0, 1] = Field(0, description="steps by which the readout comes late")
    v_floor: float | None = Field(None, description="lowest membrane potential; None: no floor")
