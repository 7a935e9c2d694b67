"""Kernels that networks need together, each group in the order in which a first training step calls for it.

Where one of a group must be compiled, the others are compiled ahead of being asked for. A name that is not there any
more costs nothing but the time that it was to save.
"""

CONVOLUTION = """
random._philox-uint32.1-int64-int64-int64-int64-int64-int64 pack._pack_panels-Packing.1-float32.1-int64.1-float32.1
simd.tile_float32 product._products-Plan.1-int64-float32.1-float32.1-float32.1-float32.1-float32.2-int64.2
thread_pool._launch thread_pool._idle thread_pool._serve elementwise.relu-float32.1-float32.1
pool._largest-float32.4-float32.4-uint8.4-Walk.1-int64.2-int64.2-int64-int64-int64
winograd._forward-Tiling.1-int64-float32.4-float32.2-float32.1-float32.4-float32.2-int64.2
winograd._filters-int64-float32.1-float32.2 random._philox-uint8.1-int64-int64-int64-int64-int64-int64
random._masked_scale-float32.1-uint8.1-float32.1-float32.1-int64 softmax._softmax-float32.2-float32.2-int64-int64
softmax._sparse_cross_entropy-float32.1-float32.2-int64.1-int64
winograd._gradient-Tiling.1-int64-float32.4-float32.4-float32.3-float32.2-int64.2
softmax._minus_hits-float32.2-float32.2-int64.1-float32.1-int64
pool._spread-float32.4-uint8.4-float32.4-Walk.1-int64.2-int64.2-int64-int64
elementwise.relu_grad-float32.1-float32.1-float32.1-int64-int64-int64-int64 winograd._taps-int64-float32.3-float32.4
reduce._columns-float32.2-float64.2-float32.2-int64-int64-int64-int64
outer._outer_products-Plan.1-int64-float32.1-float32.1-float32.2-float32.2-int64.2-float32.2
outer._sum_parts-float32.2-float32.1 update._update-int64-int64.2-int64.1-int64.1-float32.1
"""
NORMALIZATION = """
batch_norm._train-int64-float32.1-float32.1-float32.1-float64-int64-Chunks.1-float32.1-float32.2-float64.3-float32.3-float32.2
batch_norm._move-float32.1-float32.1-float32.1
elementwise.add_relu-float32.1-float32.1-float32.1-int64-int64-int64-int64
reduce._samples-float32.2-float32.2-float64.2-float32.2-int64-int64-int64
elementwise.multiply-float32.1-float32.1-float32.1-int64-int64-int64-int64
batch_norm._gradient-int64-float32.1-float32.1-float32.1-float32.1-float32.1-float32.1-int64-Chunks.1-float32.1-float32.2-float64.3-float32.3
elementwise.add-float32.1-float32.1-float32.1-int64-int64-int64-int64
"""
DEPTHWISE = """
depthwise._forward-float32.4-float32.1-float32.1-float32.4-Walk.1-int64.2-int64.2-int64-int64-int64
depthwise._filters-float32.4-float32.2-float32.4-Walk.1-int64.2-int64.2-int64-int64-int64
"""

GROUPS = [
    [f"kerasish.{'device' if name.startswith('thread_pool.') else 'kernels.cpu'}.{name}" for name in names.split()]
    for names in (CONVOLUTION, NORMALIZATION, DEPTHWISE)
]


def companions(name: str) -> list[str]:
    """The kernels of the groups that a kernel belongs to."""
    return [other for group in GROUPS if name in group for other in group]
