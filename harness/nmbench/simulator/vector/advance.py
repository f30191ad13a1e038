"""One step of a population, sixteen neurons at a time: dynamics, threshold, reset and spike list in one pass.

The order of operations is the reference's (`nmbench.simulator.reference`), and no two of them are fused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from nmbench.simulator.vector.lanes import (
    bits,
    choose,
    count_bits,
    count_from,
    either,
    load,
    spread,
    store,
    store_marked,
    take_float32,
    take_int16,
)

Advance = Callable[[int, Any, int, bool], int]

LEAKY, LINEAR, SYNAPTIC = 0, 1, 2
"""Laws: v = decay*v + sum; with gain, bias, leak and floor; with a synapse state, too."""

FLOAT32_SUMS, INT16_SUMS = 0, 1

COEFFICIENT_BYTES = 9 * 64
"""Of a block's line of coefficients."""


@njit(nogil=True, forceinline=True)
def _spike(v: Any, above: Any, at: int, n: int, listed: int, subtract: Any, reset: Any) -> tuple[Any, int]:
    """List and reset those above threshold; return the membranes and how many are listed."""
    store_marked(listed + 4 * n, count_from(at * 16), above)
    return choose(above, choose(subtract, v + reset, reset), v), n + count_bits(bits(above))


def _make(law: int, take: Any) -> Advance:
    """Make the function that advances populations of a law.

    Parameters
    ----------
    take
        How the sums are read and emptied.
    """

    @njit(nogil=True, forceinline=True)
    def membrane(
        at: int, sums: int, sum_bytes: int, currents: int, membranes: int, c: Any, scale: Any, lagging: Any
    ) -> Any:
        """Return the membranes of sixteen neurons before the threshold."""
        bias, mem_decay, mem_gain, leak, floor, syn_decay, syn_gain = c
        current = take(sums + at * sum_bytes, scale)
        if law == LEAKY:
            return mem_decay * load(membranes + at * 64) + current
        current = current + bias
        if law == SYNAPTIC:
            before = load(currents + at * 64)
            after = syn_decay * before + syn_gain * current
            store(currents + at * 64, after)
            current = choose(lagging, before, after)
        v = (mem_decay * load(membranes + at * 64) + mem_gain * current) + leak
        return choose(v > floor, v, floor)

    @njit(nogil=True)
    def advance(memory: int, q: Any, listed: int, skipping: bool) -> int:
        """Advance the population of record ``q``; list who spikes at the address and return how many do.

        With ``skipping`` a branch leads round the list where none of 64 spikes: faster where few do.
        """
        n, zero = 0, spread(0.0)
        scale, lagging, subtract = spread(q.scale), spread(q.lagging) > zero, spread(q.subtract) > zero
        sums, size = memory + q.sums, q.sum_bytes
        currents, membranes = memory + q.currents, memory + q.membranes
        lines, pixels, pitch = q.lines, q.pixels, q.pixel_pitch
        first, line_pitch, coefficients = q.first, q.line_pitch, q.coefficients
        together = pixels // 4 if skipping else 0
        for block in range(q.blocks):
            k = coefficients + block * COEFFICIENT_BYTES
            threshold, reset = load(k + 320), load(k + 384)
            c = (
                load(k),
                load(k + 64),
                load(k + 128),
                load(k + 192),
                load(k + 256),
                load(k + 448),
                load(k + 512),
            )
            for line in range(lines):
                at = first + line * line_pitch + block
                for _ in range(together):
                    at1, at2, at3 = at + pitch, at + 2 * pitch, at + 3 * pitch
                    v0 = membrane(at, sums, size, currents, membranes, c, scale, lagging)
                    v1 = membrane(at1, sums, size, currents, membranes, c, scale, lagging)
                    v2 = membrane(at2, sums, size, currents, membranes, c, scale, lagging)
                    v3 = membrane(at3, sums, size, currents, membranes, c, scale, lagging)
                    above0, above1, above2, above3 = (
                        v0 > threshold,
                        v1 > threshold,
                        v2 > threshold,
                        v3 > threshold,
                    )
                    if bits(either(either(above0, above1), either(above2, above3))) != 0:
                        v0, n = _spike(v0, above0, at, n, listed, subtract, reset)
                        v1, n = _spike(v1, above1, at1, n, listed, subtract, reset)
                        v2, n = _spike(v2, above2, at2, n, listed, subtract, reset)
                        v3, n = _spike(v3, above3, at3, n, listed, subtract, reset)
                    store(membranes + at * 64, v0)
                    store(membranes + at1 * 64, v1)
                    store(membranes + at2 * 64, v2)
                    store(membranes + at3 * 64, v3)
                    at += 4 * pitch
                for _ in range(4 * together, pixels):
                    v = membrane(at, sums, size, currents, membranes, c, scale, lagging)
                    v, n = _spike(v, v > threshold, at, n, listed, subtract, reset)
                    store(membranes + at * 64, v)
                    at += pitch
        return n

    made: Advance = advance
    return made


_leaky_float32, _leaky_int16 = (_make(LEAKY, take) for take in (take_float32, take_int16))
_linear_float32, _linear_int16 = (_make(LINEAR, take) for take in (take_float32, take_int16))
_synaptic_float32, _synaptic_int16 = (_make(SYNAPTIC, take) for take in (take_float32, take_int16))


@njit(nogil=True)
def advance(memory: int, q: Any, listed: int, skipping: bool) -> int:
    """Advance a population by its law, numbered 2 * law + kind of sums."""
    law, n = q.law, 0
    if law == 0:
        n = _leaky_float32(memory, q, listed, skipping)
    elif law == 1:
        n = _leaky_int16(memory, q, listed, skipping)
    elif law == 2:
        n = _linear_float32(memory, q, listed, skipping)
    elif law == 3:
        n = _linear_int16(memory, q, listed, skipping)
    elif law == 4:
        n = _synaptic_float32(memory, q, listed, skipping)
    else:
        n = _synaptic_int16(memory, q, listed, skipping)
    return n
