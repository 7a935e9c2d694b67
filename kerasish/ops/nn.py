"""keras.ops.nn: activations, convolutions, pooling, normalization, cross-entropies."""

from kerasish import names as _names
from kerasish.ops.activations import (  # noqa: F401
    celu,
    elu,
    gelu,
    hard_sigmoid,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    swish,
)
from kerasish.ops.adaptive import adaptive_average_pool, adaptive_max_pool  # noqa: F401
from kerasish.ops.choosing import multi_hot, one_hot  # noqa: F401
from kerasish.ops.composed_activations import (  # noqa: F401
    glu,
    hard_shrink,
    hard_silu,
    hard_swish,
    hard_tanh,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)
from kerasish.ops.conv import (  # noqa: F401
    conv,
    conv_bias_act,
    conv_transpose,
    depthwise_bias_act,
    depthwise_conv,
    separable_conv,
)
from kerasish.ops.ctc import ctc_loss  # noqa: F401
from kerasish.ops.dense import dense_bias_act  # noqa: F401
from kerasish.ops.linalg import normalize  # noqa: F401
from kerasish.ops.losses import (  # noqa: F401
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from kerasish.ops.norm import (  # noqa: F401
    batch_norm_train,
    batch_normalization,
    layer_normalization,
    rms_normalization,
)
from kerasish.ops.pool import average_pool, max_pool, max_pool_relu, upsample  # noqa: F401
from kerasish.ops.reduce import moments  # noqa: F401

_names.explain(__name__)
