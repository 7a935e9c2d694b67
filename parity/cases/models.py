"""Whole models: sequential, functional, shared, nested, subclassed."""

from parity.case import register
from parity.compare import compare_models

model = lambda **options: register(compare_models, "models", **options)


@model()
def mnist_convnet(keras):
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            L.MaxPooling2D(pool_size=(2, 2)),
            L.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            L.MaxPooling2D(pool_size=(2, 2)),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )


@model()
def input_shape_on_the_first_layer(keras):
    L = keras.layers
    return keras.models.Sequential([L.Conv2D(10, 5, input_shape=(20, 20, 3)), L.Flatten(), L.Dense(3)])


@model()
def deferred_build(keras):
    net = keras.Sequential(
        [keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)], name="later"
    )
    net.build((None, 10, 9, 3))
    return net


@model()
def two_inputs_two_outputs(keras):
    L = keras.layers
    image, numbers = keras.Input((8, 8, 3), name="image"), keras.Input((5,), name="numbers")
    a = L.Flatten()(L.Conv2D(4, 3, activation="relu")(image))
    b = L.Dense(6, activation="tanh")(numbers)
    joined = L.Concatenate()([a, b])
    return keras.Model(
        [image, numbers], [L.Dense(3, name="class")(joined), L.Dense(1, name="size")(joined)], name="both"
    )


@model()
def shared_layer(keras):
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((5,))
    tower = L.Dense(4, activation="relu")
    return keras.Model([a, b], L.Add()([tower(a), tower(b)]))


@model()
def nested_models(keras):
    L = keras.layers
    inner = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3), L.MaxPooling2D()], name="inner")
    x = keras.Input((8, 8, 3))
    return keras.Model(x, L.Dense(2)(L.Flatten()(inner(x))), name="outer")


@model()
def residual_block(keras):
    L = keras.layers
    x = keras.Input((8, 8, 4))
    y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(x))
    y = L.ReLU()(y)
    y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(y))
    return keras.Model(x, L.Activation("relu")(L.add([x, y])))


@model()
def merging_layers(keras):
    L = keras.layers
    a, b = keras.Input((6, 4)), keras.Input((6, 4))
    parts = [L.Subtract()([a, b]), L.Multiply()([a, b]), L.Average()([a, b]), L.Maximum()([a, b]), L.Minimum()([a, b])]
    return keras.Model([a, b], [L.Concatenate(axis=1)(parts), L.Dot(axes=2)([a, b])])


@model()
def ops_in_a_graph(keras):
    x = keras.Input((4,), name="x")
    y = keras.ops.concatenate([x + 1, keras.ops.relu(x)], axis=-1)
    y = keras.ops.reshape(y, (-1, 2, 4))
    return keras.Model(x, keras.layers.Dense(3)(keras.ops.mean(y, axis=1)[:, 1:]))


@model()
def depthwise_net(keras):
    L = keras.layers
    x = y = keras.Input((16, 16, 3))
    y = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(y)
    for filters in (16, 24):
        y = L.ReLU(6.0)(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", use_bias=False)(y)))
        y = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(filters, 1, use_bias=False)(y)))
    return keras.Model(x, L.Dense(5, activation="softmax")(L.GlobalAveragePooling2D()(y)))


@model(config=False)
def subclassed(keras):
    class Net(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.convolution = keras.layers.Conv2D(4, 3, activation="relu")
            self.flat = keras.layers.Flatten()
            self.head = keras.layers.Dense(3)

        def call(self, x, training=False):
            return self.head(self.flat(self.convolution(x)))

    x = keras.Input((6, 6, 2))
    return keras.Model(x, Net()(x))


@model()
def dict_of_inputs(keras):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model(
        [a, b], {"sum": keras.layers.Add(name="s")([a, b]), "product": keras.layers.Multiply(name="p")([a, b])}
    )


def vgg16(keras):
    """VGG16 (Simonyan and Zisserman 2014, table 1, column D)."""
    L = keras.layers
    x = y = keras.Input((224, 224, 3))
    for block, (filters, convolutions) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
        for i in range(1, convolutions + 1):
            y = L.Conv2D(
                filters, 3, padding="same", activation="relu", kernel_initializer="zeros", name=f"block{block}_conv{i}"
            )(y)
        y = L.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(y)
    y = L.Flatten(name="flatten")(y)
    for name in ("fc1", "fc2"):
        y = L.Dense(4096, activation="relu", kernel_initializer="zeros", name=name)(y)
    return keras.Model(x, L.Dense(1000, activation="softmax", name="predictions")(y), name="vgg16")


register(compare_models, "models", "VGG16, symbolically", values=False)(vgg16)
