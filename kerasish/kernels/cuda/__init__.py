"""Kernels for NVIDIA cards: Numba functions over `asm.py`, launched by `device/cuda_jit.py`; the rest falls to the reference."""
