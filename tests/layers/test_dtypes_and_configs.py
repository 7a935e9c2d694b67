"""What random layers showed to differ from Keras: configs, dtypes, masks, early refusals."""

import keras
import numpy as np
import pytest

import kerasish


@pytest.mark.parametrize("family", ["initializers", "regularizers", "constraints", "losses", "metrics", "optimizers"])
@pytest.mark.parametrize("more", [{}, {"module": "keras.initializers", "registered_name": None}])
def test_a_config_of_an_unknown_class_is_no_identifier(family, more):
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="Could not interpret .* identifier: .*Foo"):
            getattr(k, family).get({"class_name": "Foo", "config": {}, **more})


@pytest.mark.parametrize(
    "build",
    [
        lambda k: k.layers.Add(autocast=False),
        lambda k: k.layers.Average(autocast=True),
        lambda k: k.layers.ELU(autocast=False),
        lambda k: k.layers.ReLU(autocast=False),
    ],
)
def test_autocast_in_configs(build):
    assert build(kerasish).get_config() == build(keras).get_config()


@pytest.mark.parametrize(
    "name, arguments", [("ReLU", {}), ("Flatten", {}), ("Dropout", {"rate": 0.5}), ("Dense", {"units": 2})]
)
def test_build_config_of_a_direct_build(name, arguments):
    configs = []
    for k in (kerasish, keras):
        layer = getattr(k.layers, name)(**arguments)
        layer.build((2, 3))
        configs.append(layer.get_build_config())
    assert configs[0] == configs[1] == {"input_shape": (2, 3)}


@pytest.mark.parametrize("dtype", ["int32", "float64", "bool", "uint8"])
@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize(
    "name, arguments",
    [("Flatten", {}), ("Reshape", {"target_shape": (6,)}), ("Permute", {"dims": (2, 1)}), ("Identity", {})],
)
def test_layers_that_rearrange_keep_the_dtype(name, arguments, autocast, dtype):
    symbolic = []
    for k in (kerasish, keras):
        inputs = k.Input((2, 3), dtype=dtype)
        layer = getattr(k.layers, name)(**arguments, autocast=autocast)
        symbolic.append(k.backend.standardize_dtype(layer(inputs).dtype))
    x = np.ones((1, 2, 3), dtype)
    assert symbolic[0] == symbolic[1] == getattr(kerasish.layers, name)(**arguments, autocast=autocast)(x).dtype


@pytest.mark.parametrize("name", ["DepthwiseConv1D", "SeparableConv1D", "DepthwiseConv2D", "SeparableConv2D", "Conv1D"])
def test_building_for_images_that_are_too_small_is_refused(name):
    filters = {} if "Depthwise" in name else {"filters": 2}
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="Computed output size would be zero or negative"):
            getattr(k.layers, name)(kernel_size=3, **filters).build((1, *[2] * int(name[-2]), 1))


def test_a_mask_does_not_pass_a_layer_that_cannot_mask():
    x = kerasish.ops.convert_to_tensor(np.ones((1, 3, 2), "float32"))
    x._keras_mask = kerasish.ops.convert_to_tensor(np.array([[True, False, True]]))
    with pytest.warns(UserWarning, match="does not support masking"):
        y = kerasish.layers.AdaptiveMaxPooling1D(3)(x)
    assert getattr(y, "_keras_mask", None) is None


def test_spectral_normalization_keeps_the_dtypes_of_its_inputs_and_its_kernel():
    for k in (kerasish, keras):
        layer = k.layers.SpectralNormalization(k.layers.Dense(2), dtype="float64")
        y = layer(np.ones((1, 3), "int32"), training=True)
        assert k.backend.standardize_dtype(y.dtype) == "int32"
        assert [w.dtype for w in layer.weights] == ["float32"] * 3


def test_dot_of_an_open_and_a_known_size_is_refused():
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match="Incompatible input shapes: axis values None"):
            k.layers.Dot(axes=(1, 2))([k.Input((None, 2)), k.Input((4, 3))])
        assert k.layers.Dot(axes=(1, 1))([k.Input((None, 2)), k.Input((None, 3))]).shape == (None, 2, 3)


@pytest.mark.parametrize("axis", ["x"])
def test_an_axis_that_is_no_integer_is_a_type_error(axis):
    for k in (kerasish, keras):
        with pytest.raises(TypeError):
            k.layers.Softmax(axis=axis)(np.ones((2, 3), "float32"))


@pytest.mark.parametrize("axis", [-1, 1])
def test_weights_of_a_layer_normalization_keep_their_dtype_in_gradients(axis):
    layer = kerasish.layers.LayerNormalization(axis=axis)
    x = kerasish.ops.convert_to_tensor(np.arange(24.0).reshape(2, 3, 4) ** 2)
    with kerasish.GradientTape() as tape:
        loss = kerasish.ops.sum(layer(x) ** 2)
    assert [g.dtype for g in tape.gradient(loss, layer.trainable_variables)] == ["float32"] * 2
