"""One layer in a model: shapes, counts, text, config, values, gradients."""

from parity.case import register
from parity.compare import compare_models

IMAGE = (9, 8, 3)


def layer(name, make, shape=IMAGE, **options):
    """A row: a Sequential of an input and one layer."""

    def build(keras):
        made = make(keras.layers)
        made = made if isinstance(made, list) else [made]
        return keras.Sequential([keras.Input(shape, name="x"), *made])

    register(compare_models, "layers", name, **options)(build)


# convolutions
layer("Conv2D", lambda L: L.Conv2D(4, 3))
layer("Conv2D same, strides 2, relu", lambda L: L.Conv2D(5, (3, 2), strides=2, padding="same", activation="relu"))
layer("Conv2D strides (2, 1)", lambda L: L.Conv2D(5, 3, strides=(2, 1)))
layer("Conv2D dilation 2", lambda L: L.Conv2D(4, 3, dilation_rate=2, padding="same"))
layer("Conv2D groups, no bias", lambda L: [L.Conv2D(6, 1), L.Conv2D(8, 3, groups=2, use_bias=False)])
layer("Conv2D 1x1, sixteen channels", lambda L: L.Conv2D(24, 1, activation="tanh"), (7, 5, 16))
layer("Conv2D 5x5, 32 channels", lambda L: L.Conv2D(40, 5, padding="same"), (12, 11, 32))
layer("Conv2D 3x3, 32 channels", lambda L: L.Conv2D(48, 3, padding="same", activation="relu"), (13, 14, 32))
layer("Conv2D 7x7 strides 2", lambda L: L.Conv2D(16, 7, strides=2, padding="same"), (23, 22, 3))
layer("Conv2D open image size", lambda L: L.Conv2D(4, 3, padding="same"), (None, None, 3))
layer(
    "Conv2D regularized, constrained, named",
    lambda L: L.Conv2D(4, 3, kernel_regularizer="l2", bias_initializer="ones", kernel_constraint="max_norm", name="c"),
)
layer("DepthwiseConv2D", lambda L: L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"))
layer("DepthwiseConv2D same strides 2", lambda L: L.DepthwiseConv2D(3, strides=2, padding="same"), (9, 9, 16))
layer("SeparableConv2D", lambda L: L.SeparableConv2D(6, 3, padding="same", depth_multiplier=2))
layer("Conv2DTranspose", lambda L: L.Conv2DTranspose(4, 3, strides=2, padding="same"))
layer("Conv1D causal", lambda L: L.Conv1D(4, 3, padding="causal", dilation_rate=2), (12, 5))
layer("Conv3D", lambda L: L.Conv3D(4, 2, strides=2, padding="same"), (5, 6, 7, 2))

# dense and reshaping
layer("Dense", lambda L: L.Dense(7, activation="softmax"), (11,))
layer("Dense on an image", lambda L: L.Dense(7, activation="relu", use_bias=False))
layer("Flatten", lambda L: L.Flatten())
layer("Reshape", lambda L: L.Reshape((-1, 6)))
layer("Permute", lambda L: L.Permute((3, 1, 2)))
layer("RepeatVector", lambda L: L.RepeatVector(3), (5,))
layer("ZeroPadding2D", lambda L: L.ZeroPadding2D(((1, 2), (0, 3))))
layer("Cropping2D", lambda L: L.Cropping2D(((1, 2), (0, 3))))
layer("UpSampling2D", lambda L: L.UpSampling2D((2, 3)))
layer("UpSampling2D bilinear", lambda L: L.UpSampling2D(2, interpolation="bilinear"))

# pooling
layer("MaxPooling2D", lambda L: L.MaxPooling2D())
layer("MaxPooling2D same 3, strides 2", lambda L: L.MaxPooling2D(3, 2, "same"))
layer("AveragePooling2D", lambda L: L.AveragePooling2D((3, 2)))
layer("AveragePooling2D same", lambda L: L.AveragePooling2D(3, 2, "same"))
layer("MaxPooling1D", lambda L: L.MaxPooling1D(3, padding="same"), (10, 4))
layer("AveragePooling3D", lambda L: L.AveragePooling3D(2), (5, 6, 7, 2))
layer("GlobalAveragePooling2D", lambda L: L.GlobalAveragePooling2D())
layer("GlobalMaxPooling2D keepdims", lambda L: L.GlobalMaxPooling2D(keepdims=True))

# normalization, regularization
layer("BatchNormalization", lambda L: L.BatchNormalization())
layer(
    "BatchNormalization not scaled, not centred",
    lambda L: L.BatchNormalization(scale=False, center=False, epsilon=0.01),
)
layer("BatchNormalization axis 1", lambda L: L.BatchNormalization(axis=1))
layer("LayerNormalization", lambda L: L.LayerNormalization())
layer("GroupNormalization", lambda L: L.GroupNormalization(groups=2), (5, 6, 4))
layer("UnitNormalization", lambda L: L.UnitNormalization())
layer("Dropout", lambda L: L.Dropout(0.3))
layer("SpatialDropout2D", lambda L: L.SpatialDropout2D(0.3))
layer("GaussianNoise", lambda L: L.GaussianNoise(0.3))
layer("ActivityRegularization", lambda L: L.ActivityRegularization(l2=0.1))

# activations
layer("Activation gelu", lambda L: L.Activation("gelu"))
layer("ReLU", lambda L: L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2))
layer("LeakyReLU", lambda L: L.LeakyReLU(0.15))
layer("PReLU", lambda L: L.PReLU(shared_axes=[1, 2]))
layer("ELU", lambda L: L.ELU(0.7))
layer("Softmax", lambda L: L.Softmax(axis=1))

# others
layer("Rescaling", lambda L: L.Rescaling(1 / 255.0, offset=-1))
layer("Embedding", lambda L: L.Embedding(7, 4), (5,), config=True, gradients=False)
layer("Identity", lambda L: L.Identity())


def named_activation(name):
    layer(f"activation {name}", lambda L: L.Dense(6, activation=name), (5,))


for _name in (
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid "
    "log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus squareplus "
    "tanh tanh_shrink"
).split():
    named_activation(_name)
