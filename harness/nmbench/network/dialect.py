"""The dialect: what NIR leaves open and decides whether two platforms agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from nmbench.errors import unknown
from nmbench.network.presets import PRESETS

_LATER = ("rereset", "reset_delay", "recurrent_bias_at_t0", "multispike", "dtype")
"""Fields younger than records that are published: written only where they are not at their default."""


class Dialect(BaseModel):
    """How a NIR graph, which is in continuous time, is advanced in steps.

    The defaults are the preset ``nmbench``. With ``a = exp(-dt/tau_syn)`` and ``b = exp(-dt/tau_mem)``
    one step of a CubaLIF neuron under it is::

        i = a*i + (dt/tau_syn)*w_in*(W x + bias)
        v = b*v + (1 - b)*(v_leak + r*i)
        s = v > v_threshold;  v = v_reset where s

    In a file it may start from another preset: ``{preset: snntorch, dt: 1.0e-3, reset: subtract}``.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra=lambda schema: schema["properties"].update(
            preset={"enum": sorted(PRESETS), "description": "where the fields that are not given come from"}
        ),
    )

    dt: float = Field(gt=0, description="duration of a step, s")
    integrator: Literal["euler", "exponential", "exponential_decay_euler_gain", "exponential_pulse"] = Field(
        "exponential_decay_euler_gain",
        description="decay and gain of a leaky state; exponential_decay_euler_gain: exponential decay, "
        "synapse gain dt/tau_syn, membrane gain 1 - exp(-dt/tau_mem); exponential_pulse: exponential decay, "
        "both gains dt/tau",
    )
    order: Literal["synapse_membrane_threshold", "membrane_synapse_threshold"] = Field(
        "synapse_membrane_threshold",
        description="the membrane sees this step's current, or the last's",
    )
    tie: Literal["gt", "ge"] = Field("gt", description="v above the threshold, or at it, spikes")
    reset: Literal["to_v_reset", "subtract"] = "to_v_reset"
    rereset: bool = Field(
        False,
        description="subtract only: a neuron left above its threshold by a reset is tested in the next step "
        "at a potential lowered by one more",
    )
    reset_delay: Literal[0, 1] = Field(
        0, description="the reset follows the spike at once, or replaces or lowers the next step's membrane"
    )
    recurrent_delay: Literal[1, 2] = Field(1, description="steps from a spike to its delivery within a cycle")
    recurrent_bias_at_t0: bool = Field(
        True, description="the bias of synapses that close a cycle acts in the first step, too"
    )
    output_delay: Literal[0, 1] = Field(
        0,
        description="steps by which what a population puts out comes late: its spikes at the next "
        "population, and the readout's answer",
    )
    multispike: bool = Field(
        False, description="a neuron spikes as often in a step as its threshold fits into its potential"
    )
    v_floor: float | Literal["-v_threshold"] | None = Field(
        None, description="lowest membrane potential; None: no floor"
    )
    dtype: Literal["float32", "float64"] = Field("float32", description="of states and weights")

    @classmethod
    def preset(cls, name: str, dt: float, **changes: object) -> Dialect:
        """Return a named dialect, with changes.

        Raises
        ------
        ValidationError
            An unknown name (with those meant perhaps), or changes that are none or do not go together.
        """
        return cls.model_validate({"preset": name, "dt": dt, **changes})

    @model_validator(mode="before")
    @classmethod
    def _start_from_preset(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"preset": value}
        if not isinstance(value, Mapping) or "preset" not in value:
            return value
        name = value["preset"]
        if not isinstance(name, str) or name not in PRESETS:
            raise ValueError(unknown("dialect preset", str(name), PRESETS))
        return PRESETS[name] | {key: field for key, field in value.items() if key != "preset"}

    @model_validator(mode="after")
    def _switches_go_together(self) -> Dialect:
        if self.rereset and self.reset == "subtract" and (self.multispike or self.reset_delay):
            raise ValueError("rereset goes with neither multispike nor reset_delay: 1")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_later_defaults(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = write(self)
        defaults = type(self).model_fields
        return {k: v for k, v in fields.items() if k not in _LATER or v != defaults[k].default}
