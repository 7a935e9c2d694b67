"""Pooling in space: x (N, D, H, W, C). The definitions of the plane hold for any number of axes."""

from kerasish.kernels.reference import pool

max_pool3d, max_pool3d_grad = pool.max_pool2d, pool.max_pool2d_grad
average_pool3d, average_pool3d_grad = pool.average_pool2d, pool.average_pool2d_grad
