"""What a projection connects: synapses per source neuron, and a dense engine's work."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmbench.network.network import Network, Projection

Integers = npt.NDArray[np.int64]


def fan_out(network: Network, projection: Projection) -> Integers:
    """Count the non-zero synapses of each source neuron, int64 ``[n_source]``, C-order.

    A zero weight is no synapse, nor is one whose target lies outside the map of a convolution.
    """
    present = projection.weight != 0
    if projection.kind == "dense":
        return np.asarray(present.sum(axis=1), dtype=np.int64)
    _, rows, columns = network.populations[projection.source].shape
    _, out_rows, out_columns = network.populations[projection.target].shape
    kernels = present.sum(axis=0, dtype=np.int64)  # [in, kh, kw]
    down = _reaches(rows, out_rows, kernels.shape[1], projection.stride[0], projection.padding[0])
    across = _reaches(columns, out_columns, kernels.shape[2], projection.stride[1], projection.padding[1])
    return np.asarray(np.einsum("chw,yh,xw->cyx", kernels, down, across).ravel(), dtype=np.int64)


def _reaches(size: int, out_size: int, kernel: int, stride: int, padding: int) -> Integers:
    """Mark which kernel tap leads from a source line to a line of the map, 0 or 1 ``[size, kernel]``."""
    offset = np.arange(size)[:, None] + padding - np.arange(kernel)[None, :]
    inside = (offset % stride == 0) & (offset >= 0) & (offset // stride < out_size)
    return np.asarray(inside, dtype=np.int64)


def dense_macs(network: Network) -> Integers:
    """Count the multiply-accumulates of a dense engine per projection and step, int64 ``[R]``.

    Dense: all pairs. Convolution: every position of the map times the whole kernel, padding included.
    """
    macs = []
    for projection in network.projections:
        pairs = projection.weight.size
        if projection.kind == "conv2d":
            pairs *= int(np.prod(network.populations[projection.target].shape[1:]))
        macs.append(pairs)
    return np.array(macs, dtype=np.int64)
