"""Layers made again from their configs: lists and tuples are those of real Keras's own round trip."""

import json

import pytest

import kerasish

keras = pytest.importorskip("keras")

ROWS = [
    ("UnitNormalization", {"axis": (1, 2)}),
    ("UnitNormalization", {"axis": [1, 2]}),
    ("UnitNormalization", {}),
    ("UnitNormalization", {"axis": 1}),
    ("RMSNormalization", {"axis": [1, 2]}),
    ("RMSNormalization", {"axis": (1, 2)}),
    ("RMSNormalization", {}),
    ("RMSNormalization", {"axis": -1}),
    ("LayerNormalization", {"axis": (1, 2)}),
    ("LayerNormalization", {"axis": [-1]}),
    ("LayerNormalization", {}),
    ("GroupNormalization", {"groups": 2}),
    ("GroupNormalization", {"groups": -1, "axis": 1}),
    ("BatchNormalization", {}),
    ("Softmax", {"axis": (1, 2)}),
    ("Softmax", {"axis": [1, 2]}),
    ("Normalization", {"axis": (1, 2)}),
    ("Normalization", {"axis": [1]}),
    ("Normalization", {"axis": None}),
    ("Normalization", {"axis": -1}),
    ("PReLU", {"shared_axes": [1]}),
    ("PReLU", {"shared_axes": (1, 2)}),
    ("PReLU", {"shared_axes": 1}),
    ("Dot", {"axes": (1, 1)}),
    ("Dot", {"axes": [1, 1]}),
    ("Dot", {"axes": 1}),
    ("Concatenate", {"axis": 1}),
    ("Permute", {"dims": (2, 1)}),
    ("Permute", {"dims": [2, 1]}),
    ("Reshape", {"target_shape": [-1, 2]}),
    ("Reshape", {"target_shape": (-1, 2)}),
    ("Cropping1D", {"cropping": [1, 1]}),
    ("Cropping2D", {"cropping": [[1, 1], [0, 1]]}),
    ("ZeroPadding2D", {"padding": [1, 2]}),
    ("ZeroPadding1D", {"padding": [1, 2]}),
    ("UpSampling2D", {"size": [2, 3]}),
    ("Conv2D", {"filters": 2, "kernel_size": [2, 2], "strides": [1, 2]}),
    ("Conv2D", {"filters": 2, "kernel_size": 2}),
    ("MaxPooling2D", {"pool_size": [2, 2]}),
    ("AveragePooling1D", {"pool_size": [2]}),
    ("Dropout", {"rate": 0.5, "noise_shape": [None, 1, 4]}),
    ("Dropout", {"rate": 0.5, "noise_shape": (None, 1, 4)}),
    ("SpatialDropout1D", {"rate": 0.5}),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 3]}),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"}),
    ("RepeatVector", {"n": 2}),
    ("AdaptiveAveragePooling2D", {"output_size": [2, 2]}),
    ("AdaptiveMaxPooling1D", {"output_size": 2}),
    ("Flatten", {}),
    ("InputLayer", {"shape": [3, 4]}),
    ("InputLayer", {"batch_shape": [None, 3, 4]}),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": [2], "output_padding": [0]}),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [2, 2], "strides": 2, "output_padding": [0, 1]}),
    ("DepthwiseConv2D", {"kernel_size": [2, 2]}),
    ("SeparableConv2D", {"filters": 2, "kernel_size": [2, 2]}),
    ("GlobalAveragePooling2D", {"keepdims": True}),
    ("Rescaling", {"scale": [1.0, 2.0], "offset": [1.0, 2.0]}),
    ("Rescaling", {"scale": 2}),
    ("CategoryEncoding", {"num_tokens": 3}),
    ("GaussianNoise", {"stddev": 1}),
    ("Masking", {"mask_value": [1]}),
    ("ActivityRegularization", {"l1": 1}),
]


def plain(x):
    """x with the types of its sequences; a list that Keras tracks is a list."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in sorted(x.items())}
    if isinstance(x, (list, tuple)):
        return "list" if isinstance(x, list) else "tuple", [plain(v) for v in x]
    return type(x).__name__, str(x).replace("kerasish", "keras")


def described(k, layer, arguments):
    """The config, and those attributes that hold an argument."""
    values = {name: getattr(layer, name, None) for name in arguments}
    config = layer.get_config()
    config.pop("dtype", None)  # real Keras's holds its own class's module
    return plain(config), plain({n: v for n, v in values.items() if isinstance(v, (list, tuple, int, float, str))})


@pytest.mark.parametrize("way", ["made", "config", "json"])
@pytest.mark.parametrize("name, arguments", ROWS, ids=[f"{n} {a}" for n, a in ROWS])
def test_round_trip(name, arguments, way):
    found = []
    for k in (keras, kerasish):
        cls = getattr(k.layers, name)
        layer = cls(**arguments, name="x")
        if way == "config":
            layer = cls.from_config(layer.get_config())
        if way == "json":
            layer = cls.from_config(json.loads(json.dumps(k.saving.serialize_keras_object(layer)))["config"])
        found.append(described(k, layer, arguments))
    assert found[1] == found[0]
