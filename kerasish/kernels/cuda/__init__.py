"""Kernels for NVIDIA cards, over `asm.py` and `device/cuda_jit.py`; the rest runs by the reference twin on CuPy."""
