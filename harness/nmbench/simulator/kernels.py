"""The clock-driven engine with event scatter, in Numba: one call runs samples from first to last step.

Nothing here allocates or knows a `Network`: `nmbench.simulator.plan` lays out what is read,
`nmbench.simulator.engine` owns what is written.
"""

from __future__ import annotations

from numba import njit

from nmbench.network.network import Floats
from nmbench.simulator.advance import add_products, advance, advance_general, fire, fire_general, hand_on
from nmbench.simulator.deliver import count_events, deliver, deliver_times, deliver_values
from nmbench.simulator.records import Ints, Longs, Plan, State


@njit(cache=True, nogil=True)
def run_samples(
    plan: Plan,
    state: State,
    first: int,
    last: int,
    steps: int,
    offsets: Longs,
    index: Ints,
    outputs: Floats,
    spikes: Longs,
    events: Longs,
) -> None:
    """Run samples ``first`` to ``last`` (excluded); fill their outputs, spikes and synaptic events.

    Of a graded projection ``events`` holds the multiply-accumulates.
    """
    for b in range(first, last):
        at = offsets[b * steps : (b + 1) * steps + 1]
        run_steps(plan, state, 0, 0, steps, at, index, outputs[b], spikes[b], events[b])


@njit(cache=True, nogil=True)
def run_steps(
    plan: Plan,
    state: State,
    done: int,
    kept: int,
    steps: int,
    offsets: Longs,
    index: Ints,
    outputs: Floats,
    spikes: Longs,
    events: Longs,
) -> None:
    """Run steps of one sample; their outputs ``[T, C]``, spikes ``[T, P]`` and synaptic events ``[T, R]``.

    Parameters
    ----------
    done
        Steps of the sample that the memory has gone through; 0: it is brought to rest first.
    kept
        Rows of ``offsets`` before the first step: as many as a delay of the input is long, if ``done`` > 0.
    """
    # fields are taken out once and handed on one by one: passing a tuple of arrays counts a reference
    # for each of them, 0.4 us a call, and threads would contend for the counters
    i, v, arriving, spiked, listed = state.i, state.v, state.arriving, state.spiked, state.listed
    times, pending, values, products = state.times, state.pending, state.values, state.products
    above, words, several, onset = state.above, state.words, plan.multispike, plan.onset
    start, padded, size, depth, history = plan.start, plan.padded, plan.size, plan.depth, plan.history
    spiking, lagging, general, resets = plan.spiking, plan.lagging, plan.general, plan.resets
    source, delay, graded, handing, summing = plan.source, plan.delay, plan.graded, plan.handing, plan.summing
    incoming, incoming_start, readout = plan.incoming, plan.incoming_start, plan.readout
    kind, table, lines, length, pitch = plan.kind, plan.table, plan.lines, plan.length, plan.pitch
    synapses, row, base, entries, weights = plan.synapses, plan.row, plan.base, plan.entries, plan.weights
    indexed, targets, neuron, early_bias = plan.indexed, plan.targets, plan.neuron, plan.early_bias
    syn_decay, syn_gain, mem_decay, mem_gain = plan.syn_decay, plan.syn_gain, plan.mem_decay, plan.mem_gain
    leak, bias, floor, threshold, v_reset, drop, level = (
        plan.leak, plan.bias, plan.floor, plan.threshold, plan.v_reset, plan.drop, plan.level
    )  # fmt: skip
    _begin(done, i, v, arriving, pending, outputs)
    for s in range(steps):
        t = done + s
        now = bias if onset.size == 0 or t >= onset[-1] else _bias_at(t, onset, early_bias)
        spikes[s, 0] = offsets[kept + s + 1] - offsets[kept + s]
        for p in range(1, size.size):
            for k in range(incoming_start[p], incoming_start[p + 1]):
                r = incoming[k]
                q, due = source[r], t - delay[r]
                events[s, r] = 0
                if due < 0:
                    continue
                ids = index if q == 0 else spiked
                lo = offsets[due + kept - done] if q == 0 else history[q] + due % depth[q] * size[q]
                hi = offsets[due + kept - done + 1] if q == 0 else lo + listed[q, due % depth[q]]
                if lo == hi:
                    continue
                # called from here one by one: a function round the three takes 30 % more time on W1s
                if graded[r]:
                    events[s, r] = deliver_values(
                        kind[r], table[r], values, lo, hi, products, base, row, synapses, entries,
                        lines[r], length[r], pitch[r], weights, targets, indexed,
                    )  # fmt: skip
                    continue
                if several and general[q]:
                    events[s, r] = deliver_times(
                        kind[r], table[r], ids, times, lo, hi, arriving, base, row, synapses, entries,
                        lines[r], length[r], pitch[r], weights, targets, indexed,
                    )  # fmt: skip
                    continue
                events[s, r] = count_events(synapses, table[r], ids, lo, hi)
                deliver(
                    kind[r], table[r], ids, lo, hi, arriving, base, row, synapses, entries,
                    lines[r], length[r], pitch[r], weights, targets, indexed,
                )  # fmt: skip
            a, z, at = start[p], start[p] + padded[p], history[p] + t % depth[p] * size[p]
            if summing[p]:
                add_products(arriving, products, a, z)
            if general[p]:
                advance_general(
                    i, v, arriving, above, a, z, syn_decay, syn_gain, now, mem_decay, mem_gain, leak,
                    floor, threshold, lagging[p], pending, v_reset, drop, plan.subtract,
                    plan.rereset and resets[p],
                )  # fmt: skip
                n, total = fire_general(
                    v, above, words, a, z, v_reset, drop, level, plan.subtract, neuron, spiked, times,
                    at, pending, resets[p], plan.reset_delay, plan.multispike, plan.at_threshold,
                )  # fmt: skip
            else:
                advance(
                    i, v, arriving, above, a, z, syn_decay, syn_gain, now, mem_decay, mem_gain, leak,
                    floor, threshold, lagging[p],
                )  # fmt: skip
                n = total = (
                    fire(v, above, words, a, z, v_reset, drop, plan.subtract, neuron, spiked, at)
                    if spiking[p]
                    else 0
                )
            if handing[p]:
                n = hand_on(values, at, v, neuron, a, z)
            listed[p, t % depth[p]], spikes[s, p] = n, total
        p = plan.output
        if s + plan.output_delay < steps:
            _read_out(
                outputs[s + plan.output_delay], v, readout, spiking[p], spiked,
                history[p] + t % depth[p] * size[p], listed[p, t % depth[p]], times, general[p],
            )  # fmt: skip


@njit(cache=True, nogil=True)
def _begin(done: int, i: Floats, v: Floats, arriving: Floats, pending: Floats, outputs: Floats) -> None:
    """Empty the outputs, and bring a worker's memory to rest where no step is done."""
    outputs[:] = 0
    if done == 0:
        i[:] = 0
        v[:] = 0
        arriving[:] = 0
        pending[:] = 0


@njit(cache=True, nogil=True)
def _bias_at(t: int, onset: Longs, early_bias: Floats) -> Floats:
    """Return the bias in effect before the last onset."""
    row = 0
    while t >= onset[row]:
        row += 1
    early: Floats = early_bias[row]
    return early


@njit(cache=True, nogil=True)
def _read_out(
    outputs: Floats, v: Floats, readout: Longs, spiking: int, spiked: Ints, at: int, n: int, times: Ints,
    general: int,
) -> None:  # fmt: skip
    """Write one step's answer: how often each neuron spiked, or the membranes of those that cannot."""
    if spiking:
        for k in range(at, at + n):
            outputs[spiked[k]] = times[k] if general else 1
    else:
        for c in range(readout.size):
            outputs[c] = v[readout[c]]
