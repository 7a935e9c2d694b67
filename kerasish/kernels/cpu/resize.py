"""Up-sampling of (N, H, W, C): a task is one row of the small image; a pixel is a run of C contiguous channels."""

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import njit, prange
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.reference import resize as reference


def upsample_nearest(x, factors):
    """Repeats rows fh times and columns fw times: (N, H, W, C) -> (N, H fh, W fw, C)."""
    if not supported(x) or not all(factors):
        return reference.upsample_nearest(x, factors)
    (N, H, W, C), (fh, fw), x = x.shape, factors, np.ascontiguousarray(x)
    y = memory.empty((N, H * fh, W * fw, C), x.dtype)
    small, large = x.reshape(N * H, W, C), y.reshape(N * H, fh, W, fw, C)
    _repeat(N * H, small, large, fh, fw, threads=threads.wanted(y.size))
    return y


def upsample_nearest_grad(gy, factors):
    """The sum over each block of fh x fw: (N, H fh, W fw, C) -> (N, H, W, C)."""
    if not supported(gy) or not all(factors):
        return reference.upsample_nearest_grad(gy, factors)
    (N, H, W, C), (fh, fw), gy = gy.shape, factors, np.ascontiguousarray(gy)
    gx = memory.empty((N, H // fh, W // fw, C), gy.dtype)
    large, small = gy.reshape(N * H // fh, fh, W // fw, fw, C), gx.reshape(N * H // fh, W // fw, C)
    _add_up(N * H // fh, large, small, fh, fw, threads=threads.wanted(gy.size))
    return gx


@njit(parallel=True, usual=("float32.3 float32.5 int64 int64",))
def _repeat(tasks, x, y, fh, fw):
    """Task: a row of x (N H, W, C), written to fh rows of y (N H, fh, W, fw, C)."""
    W, C = x.shape[1:]
    for task in prange(tasks):
        for down in range(fh):
            for w in range(W):
                for across in range(fw):
                    for c in range(C):
                        y[task, down, w, across, c] = x[task, w, c]


@njit(parallel=True, usual=("float32.5 float32.3 int64 int64",))
def _add_up(tasks, gy, gx, fh, fw):
    """Task: a row of gx (N H, W, C), from fh rows of gy (N H, fh, W, fw, C)."""
    W, C = gx.shape[1:]
    for task in prange(tasks):
        for w in range(W):
            for c in range(C):
                gx[task, w, c] = 0
            for down in range(fh):
                for across in range(fw):
                    for c in range(C):
                        gx[task, w, c] += gy[task, down, w, across, c]
