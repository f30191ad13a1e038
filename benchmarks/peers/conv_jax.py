"""JAX by hand on the convolution nets: `conv_general_dilated` in one scan, or a layer at a time.

Frames are bytes and laid out beforehand; pooling and conversion to float32 are part of the network and timed.
Channels stand last, which XLA's CPU convolutions like best.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from protocol import Task, Variant, main


def build(task: Task) -> dict[str, Variant]:
    beta = np.float32(task.beta)
    # [out, in, k, k] -> [k, k, in, out]; a readout's [pre, C], whose pre is C-order of (channel, row, column)
    weights = [
        jnp.asarray(layer.weight.transpose(2, 3, 1, 0) if layer.kernel else layer.weight)
        for layer in task.layers
    ]

    def arriving(k, x):
        """Return what layer k receives from spikes [B, H, W, C]."""
        layer = task.layers[k]
        x = x.astype(jnp.float32)
        if layer.pool > 1:
            window = (1, layer.pool, layer.pool, 1)
            x = lax.reduce_window(x, np.float32(0), lax.add, window, window, "VALID")
        if not layer.kernel:
            return x.transpose(0, 3, 1, 2).reshape(len(x), -1) @ weights[k]
        return lax.conv_general_dilated(
            x,
            weights[k],
            (layer.stride,) * 2,
            [(layer.kernel // 2,) * 2] * 2,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )

    def fire(k, v, received):
        v = beta * v + received
        if not task.layers[k].spiking:
            return v, v
        return jnp.where(v >= 1, 0, v), (v >= 1).astype(jnp.float32)

    def start(k, batch):
        shape = task.layers[k].shape
        return jnp.zeros((batch, *shape[1:], shape[0]), jnp.float32)

    layers = range(len(task.layers))

    @partial(jax.jit, static_argnames="keep")
    def stepwise(frames, keep=False):
        def step(vs, x):
            after, fired = [], []
            for k in layers:
                v, x = fire(k, vs[k], arriving(k, x))
                after.append(v)
                fired.append(x.sum(axis=tuple(range(1, x.ndim))))
            return after, (x, fired[:-1] if keep else None)

        _, (trace, fired) = lax.scan(step, [start(k, frames.shape[1]) for k in layers], frames)
        return trace, fired

    @partial(jax.jit, static_argnames="keep")
    def layerwise(frames, keep=False):
        x, fired = frames, []
        for k in layers:
            steps, batch = x.shape[:2]
            received = arriving(k, x.reshape(steps * batch, *x.shape[2:]))
            _, x = lax.scan(
                partial(fire, k), start(k, batch), received.reshape(steps, batch, *received.shape[1:])
            )
            fired.append(x.sum(axis=tuple(range(2, x.ndim))))
        return x, fired[:-1] if keep else None

    def variant(forward):
        def load(batch):
            frames = task.frames(batch, np.uint8).reshape(task.steps, batch, *task.shape)
            return jnp.asarray(np.ascontiguousarray(frames.transpose(0, 1, 3, 4, 2)))

        def outcome(frames):
            trace, fired = forward(frames, keep=True)
            return np.stack([np.asarray(f) for f in fired], axis=2).transpose(1, 0, 2), np.asarray(trace[-1])

        return Variant(load, lambda frames: forward(frames)[0].block_until_ready(), outcome)

    return {"stepwise": variant(stepwise), "layerwise": variant(layerwise)}


if __name__ == "__main__":
    main("jax.lax.scan", ["jax", "jaxlib"], build, checked=2)
