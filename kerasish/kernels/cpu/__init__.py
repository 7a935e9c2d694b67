"""Kernels for the CPU: Numba over `simd.py`, the one vector micro-kernel, and `vecmath.py`."""
