"""JAX by hand: one `lax.scan` over the steps, or a scan for each layer with its products taken at once."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from protocol import Task, Variant, main


def build(task: Task) -> dict[str, Variant]:
    beta = np.float32(task.beta)
    weights = [jnp.asarray(layer.weight) for layer in task.layers]
    within = [None if layer.recurrent is None else jnp.asarray(layer.recurrent) for layer in task.layers]
    spiking = [layer.spiking for layer in task.layers]

    def advance(k, v, s, arriving):
        if within[k] is not None:
            arriving = arriving + s @ within[k]
        v = beta * v + arriving
        if not spiking[k]:
            return v, s, v
        s = (v >= 1).astype(jnp.float32)
        return jnp.where(v >= 1, 0, v), s, s

    def start(batch):
        zeros = [jnp.zeros((batch, layer.size), jnp.float32) for layer in task.layers]
        return zeros, zeros

    @partial(jax.jit, static_argnames="keep")
    def stepwise(frames, keep=False):
        def step(state, x):
            vs, ss, fired = [], [], []
            for k, weight in enumerate(weights):
                v, s, x = advance(k, state[0][k], state[1][k], x @ weight)
                vs, ss = [*vs, v], [*ss, s]
                fired.append(s.sum(axis=1))
            return (vs, ss), (x, fired[:-1] if keep else None)

        _, (trace, fired) = jax.lax.scan(step, start(frames.shape[1]), frames)
        return trace, fired

    @partial(jax.jit, static_argnames="keep")
    def layerwise(frames, keep=False):
        x, fired = frames, []
        for k, weight in enumerate(weights):

            def step(state, arriving, k=k):
                v, s, out = advance(k, *state, arriving)
                return (v, s), out

            vs, ss = start(frames.shape[1])
            _, x = jax.lax.scan(step, (vs[k], ss[k]), x @ weight)
            fired.append(x.sum(axis=2))
        return x, fired[:-1] if keep else None

    def variant(forward):
        def outcome(frames):
            trace, fired = forward(frames, keep=True)
            return np.stack([np.asarray(f) for f in fired], axis=2).transpose(1, 0, 2), np.asarray(trace[-1])

        return Variant(
            lambda batch: jnp.asarray(task.frames(batch)),
            lambda frames: forward(frames)[0].block_until_ready(),
            outcome,
        )

    return {"stepwise": variant(stepwise), "layerwise": variant(layerwise)}


if __name__ == "__main__":
    main("jax.lax.scan", ["jax", "jaxlib"], build)
