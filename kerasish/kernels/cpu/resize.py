"""Up-sampling of (N, H, W, C): a task is one row of the small image; a pixel is a run of C contiguous channels."""

import numpy as np

from kerasish.device import memory, threads
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.pointer import pointer
from kerasish.kernels.cpu.raw import address
from kerasish.kernels.cpu.task import tasks
from kerasish.kernels.reference import resize as reference


def upsample_nearest(x, factors):
    """Repeats rows fh times and columns fw times: (N, H, W, C) -> (N, H fh, W fw, C)."""
    if not supported(x) or not all(factors):
        return reference.upsample_nearest(x, factors)
    (N, H, W, C), (fh, fw), x = x.shape, factors, np.ascontiguousarray(x)
    y = memory.empty((N, H * fh, W * fw, C), x.dtype)
    _repeat(x.dtype, N * H, address(x), address(y), W, C, fh, fw, threads=threads.wanted(y.size))
    return y


def upsample_nearest_grad(gy, factors):
    """The sum over each block of fh x fw: (N, H fh, W fw, C) -> (N, H, W, C)."""
    if not supported(gy) or not all(factors):
        return reference.upsample_nearest_grad(gy, factors)
    (N, H, W, C), (fh, fw), gy = gy.shape, factors, np.ascontiguousarray(gy)
    gx = memory.empty((N, H // fh, W // fw, C), gy.dtype)
    _add_up(gy.dtype, N * H // fh, address(gy), address(gx), W // fw, C, fh, fw, threads=threads.wanted(gy.size))
    return gx


@tasks
def _repeat(zero, task, x, y, W, C, fh, fw):
    """Task: a row of x, written to fh rows of y."""
    for down in range(fh):
        row = (task * fh + down) * W * fw * C
        for w in range(W):
            u = pointer(zero, x, (task * W + w) * C, C)
            for across in range(fw):
                v = pointer(zero, y, row + (w * fw + across) * C, C)
                for i in range(C):
                    v[i] = u[i]


@tasks
def _add_up(zero, task, gy, gx, W, C, fh, fw):
    """Task: a row of gx, from fh rows of gy."""
    for w in range(W):
        v = pointer(zero, gx, (task * W + w) * C, C)
        for i in range(C):
            v[i] = zero
        for down in range(fh):
            row = (task * fh + down) * W * fw
            for across in range(fw):
                u = pointer(zero, gy, (row + w * fw + across) * C, C)
                for i in range(C):
                    v[i] += u[i]
