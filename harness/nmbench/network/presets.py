"""Named dialects: how known simulators and chips advance a NIR graph, as far as traces of theirs show it.

Read from the platforms' published importers and checked against the traces of the NIR paper (Pedersen et
al. 2024, Nature Communications 15:8122), one LIF neuron each: ``docs/dialects.md`` has the agreement. What
a single LIF cannot show (order, recurrence, CubaLIF) follows the importers alone.
"""

from __future__ import annotations

PRESETS: dict[str, dict[str, object]] = {
    "nmbench": {},
    # Leaky(reset_mechanism="zero", reset_delay=False); with "subtract" it tests a lowered potential
    "snntorch": {"integrator": "euler", "rereset": True},
    "norse": {"integrator": "euler", "recurrent_bias_at_t0": False},
    # the spike is that of the membrane before the update, and so is what the reset subtracts
    "spyx": {"integrator": "euler", "reset": "subtract", "reset_delay": 1, "output_delay": 1},
    "sinabs": {
        "integrator": "exponential_pulse",
        "tie": "ge",
        "reset": "subtract",
        "multispike": True,
        "v_floor": "-v_threshold",
    },
    "rockpool": {
        "integrator": "exponential_pulse",
        "tie": "ge",
        "reset": "subtract",
        "multispike": True,
    },
    "nengo": {"integrator": "exponential", "v_floor": 0.0},
    "spinnaker2": {"integrator": "euler"},
    "lava": {"integrator": "euler", "output_delay": 1},
    # in floating point: the chip's 12-bit decays and 23-bit potentials are not modelled
    "loihi": {"integrator": "euler", "output_delay": 1},
}
"""Preset to the fields of `nmbench.network.dialect.Dialect` that differ from its defaults."""
