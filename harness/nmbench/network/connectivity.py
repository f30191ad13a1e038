"""What a projection connects: synapses per source neuron, and a dense engine's work."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.network.network import Floats, Network, Projection

Integers = npt.NDArray[np.int64]


def fan_out(network: Network, projection: Projection) -> Integers:
    """Count the non-zero synapses of each source neuron, int64 ``[n_source]``, C-order.

    A zero weight is no synapse, nor is one whose target lies outside the map of a convolution.
    """
    present = projection.weight != 0
    if projection.kind == "dense":
        return np.asarray(present.sum(axis=1), dtype=np.int64)
    (_, rows, columns), (_, out_rows, out_columns) = network.maps(projection)
    out, channels, high, wide = present.shape
    each = (projection.groups, out // projection.groups, channels, high, wide)
    kernels = present.reshape(each).sum(axis=1, dtype=np.int64).reshape(-1, high, wide)  # [in, kh, kw]
    down = _reaches(projection, 0, rows, out_rows)
    across = _reaches(projection, 1, columns, out_columns)
    return np.asarray(np.einsum("chw,yh,xw->cyx", kernels, down, across).ravel(), dtype=np.int64)


def _reaches(projection: Projection, axis: int, size: int, out_size: int) -> Integers:
    """Mark which kernel tap leads from a source line to a line of the map, 0 or 1 ``[size, kernel]``."""
    stride, taps = projection.stride[axis], np.arange(projection.weight.shape[2 + axis])
    offset = np.arange(size)[:, None] + projection.padding[axis] - taps * projection.dilation[axis]
    inside = (offset % stride == 0) & (offset >= 0) & (offset // stride < out_size)
    return np.asarray(inside, dtype=np.int64)


def connections(network: Network, projection: Projection) -> tuple[Integers, Integers, Floats]:
    """List every synapse: source neuron, target neuron, weight (not zero), ordered by source, then target.

    Only for small projections: a convolution is written out position by position.
    """
    if projection.kind == "dense":
        pre, post = np.nonzero(projection.weight)
        return pre, post, projection.weight[pre, post]
    source, target = (np.arange(int(np.prod(m))).reshape(m) for m in network.maps(projection))
    down = _reaches(projection, 0, source.shape[1], target.shape[1])
    across = _reaches(projection, 1, source.shape[2], target.shape[2])
    out, channels, high, wide = projection.weight.shape
    found = []
    for j, i in np.ndindex(high, wide):
        o, c = np.nonzero(projection.weight[:, :, j, i])
        channel = o // (out // projection.groups) * channels + c
        y, x = np.flatnonzero(down[:, j]), np.flatnonzero(across[:, i])
        to_y = (y + projection.padding[0] - j * projection.dilation[0]) // projection.stride[0]
        to_x = (x + projection.padding[1] - i * projection.dilation[1]) // projection.stride[1]
        pre, post = source[channel][:, y][:, :, x], target[o][:, to_y][:, :, to_x]
        weight = np.broadcast_to(projection.weight[o, c, j, i][:, None, None], pre.shape)
        found.append((pre.ravel(), post.ravel(), weight.ravel()))
    pre, post, weight = (np.concatenate(parts) for parts in zip(*found, strict=True))
    sequence = np.lexsort((post, pre))
    return pre[sequence], post[sequence], weight[sequence]


def dense_macs(network: Network) -> Integers:
    """Count the multiply-accumulates of a dense engine per projection and step, int64 ``[R]``.

    Dense: all pairs. Convolution: every position of the map times the whole kernel, padding included.
    Several layers in one projection: the sum of theirs.
    """
    macs = []
    for projection in network.projections:
        pairs = projection.weight.size
        if projection.kind == "conv2d":
            pairs *= int(np.prod(network.maps(projection)[1][1:]))
        macs.append(pairs if projection.macs is None else projection.macs)
    return np.array(macs, dtype=np.int64)
