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


WEIGHED = {
    "Dense": ({"units": 2}, (2, 3)),
    "EinsumDense": ({"equation": "ab,bc->ac", "output_shape": 2, "bias_axes": "c"}, (2, 3)),
    "PReLU": ({}, (2, 3)),
    "BatchNormalization": ({}, (2, 3, 4)),
    "LayerNormalization": ({}, (2, 3, 4)),
    "GroupNormalization": ({"groups": 2}, (2, 3, 4)),
    "RMSNormalization": ({}, (2, 3, 4)),
    "Conv1D": ({"filters": 2, "kernel_size": 2}, (2, 3, 4)),
    "Conv2D": ({"filters": 2, "kernel_size": 2}, (2, 3, 3, 4)),
    "Conv3D": ({"filters": 2, "kernel_size": 2}, (1, 3, 3, 3, 2)),
    "Conv2DTranspose": ({"filters": 2, "kernel_size": 2}, (2, 3, 3, 4)),
    "DepthwiseConv2D": ({"kernel_size": 2}, (2, 3, 3, 4)),
    "SeparableConv1D": ({"filters": 2, "kernel_size": 2}, (2, 3, 4)),
}


@pytest.mark.parametrize("policy, given", [("float64", "float32"), ("float32", "float64"), ("float64", "float16")])
@pytest.mark.parametrize("name", WEIGHED)
def test_gradients_have_the_dtype_of_what_they_belong_to(name, policy, given):
    arguments, shape = WEIGHED[name]
    layer = getattr(kerasish.layers, name)(**arguments, dtype=policy)
    x = kerasish.ops.convert_to_tensor(np.random.default_rng(0).standard_normal(shape).astype(given))
    with kerasish.GradientTape() as tape:
        tape.watch(x)
        loss = kerasish.ops.sum(layer(x, training=True) if name == "BatchNormalization" else layer(x))
    weights = layer.trainable_variables
    assert weights and [v.dtype for v in weights] == [policy] * len(weights)
    assert [g.dtype for g in tape.gradient(loss, [x, *weights])] == [given] + [policy] * len(weights)


@pytest.mark.parametrize("weight", ["float16", "float32", "float64"])
@pytest.mark.parametrize("given", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("axis", [-1, (1, 2)])
def test_gradients_of_a_layer_normalization_in_mixed_dtypes(given, weight, axis):
    x = kerasish.ops.convert_to_tensor(np.arange(24.0).reshape(2, 3, 4) ** 2, given)
    gamma, beta = (kerasish.Variable(np.ones(x.shape[-1] if axis == -1 else (3, 4)), dtype=weight) for _ in range(2))
    with kerasish.GradientTape() as tape:
        tape.watch(x)
        y = kerasish.ops.layer_normalization(x, gamma, beta, axis)
        loss = kerasish.ops.sum(y)
    assert [y.dtype] + [g.dtype for g in tape.gradient(loss, [x, gamma, beta])] == [given, given, weight, weight]


@pytest.mark.parametrize("name", ["LayerNormalization", "RMSNormalization", "GroupNormalization", "BatchNormalization"])
@pytest.mark.parametrize("given", ["float16", "bfloat16"])
def test_sums_of_halves_are_taken_in_float32(name, given):
    """The gradient of a weight adds up many halves: in halves it would be wrong in the third digit."""
    options = {"groups": 2} if name == "GroupNormalization" else {}
    layer = getattr(kerasish.layers, name)(autocast=False, **options)
    rng = np.random.default_rng(0)
    x, upstream = (kerasish.ops.convert_to_tensor(rng.standard_normal((500, 4)), given) for _ in range(2))
    with kerasish.GradientTape() as tape:
        y = layer(x)
        loss = kerasish.ops.sum(y * kerasish.ops.cast(upstream, y.dtype))
    exact = getattr(kerasish.layers, name)(dtype="float64", **options)
    with kerasish.GradientTape() as wide:
        wide_loss = kerasish.ops.sum(exact(kerasish.ops.cast(x, "float64")) * kerasish.ops.cast(upstream, "float64"))
    pairs = zip(tape.gradient(loss, layer.trainable_variables), wide.gradient(wide_loss, exact.trainable_variables))
    for got, want in pairs:
        np.testing.assert_allclose(got, want, rtol=0, atol=2e-3 * (8 if given == "bfloat16" else 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["LayerNormalization", "RMSNormalization", "GroupNormalization", "BatchNormalization"])
def test_an_integer_as_epsilon(name, dtype):
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(dtype)
    options = {"epsilon": 2, "dtype": dtype, **({"groups": 2} if name == "GroupNormalization" else {})}
    ours, theirs = (getattr(k.layers, name)(**options) for k in (kerasish, keras))
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-5, atol=1e-6)
    assert repr(ours.get_config()["epsilon"]) == repr(theirs.get_config()["epsilon"])


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8", "int64", "float16", "float32"])
@pytest.mark.parametrize("mask", [[True, False, True], [1, 0, 1], [0.7, 0.3, 0.6], [False] * 3])
def test_a_masked_softmax_of_any_dtype(dtype, mask):
    x, mask = np.arange(6).reshape(2, 3).astype(dtype), np.array([mask] * 2)
    got, want = (k.layers.Softmax()(x, mask=k.ops.convert_to_tensor(mask)) for k in (kerasish, keras))
    assert got.dtype == keras.backend.standardize_dtype(want.dtype)
    np.testing.assert_allclose(got, want, rtol=1e-3 if dtype == "float16" else 1e-5)


MASKS = [[True, True, False, True], [1, 1, 0, 0], [0.5, 1.0, 0.0, 1.0]]


@pytest.mark.parametrize(
    "name, count, mask",
    [("GlobalAveragePooling1D", 1, mask) for mask in MASKS]
    + [(name, 2, MASKS[0]) for name in ("Multiply", "Maximum", "Minimum")],
)
def test_what_is_masked_does_not_reach_the_result(name, count, mask):
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    x[:, np.equal(mask, 0)] = [np.nan, np.inf, -np.inf]
    results = []
    for k in (kerasish, keras):
        given = [k.ops.convert_to_tensor(x + i) for i in range(count)]
        for tensor in given:
            tensor._keras_mask = k.ops.convert_to_tensor(np.array([mask] * 2))
        results.append(np.asarray(getattr(k.layers, name)()(given if count > 1 else given[0])))
    np.testing.assert_allclose(*results, rtol=1e-5)
    assert np.isfinite(results[0]).all() or name in ("Maximum", "Minimum")


def test_masking_numbers_that_are_infinite():
    x = np.array([[[1.0, 2.0], [np.inf, np.inf], [np.inf, 1.0]]], "float32")
    for k in (kerasish, keras):
        y = np.asarray(k.layers.Masking(mask_value=np.inf)(x))
        np.testing.assert_array_equal(y, [[[1.0, 2.0], [0.0, 0.0], [np.inf, 1.0]]])


def test_what_is_masked_does_not_reach_the_statistics():
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    x[:, -1] = np.nan
    mask = np.array([[True, True, True, False]] * 2)
    layers = [k.layers.BatchNormalization(momentum=0.5) for k in (kerasish, keras)]
    for k, layer in zip((kerasish, keras), layers):
        layer(x, training=True, mask=k.ops.convert_to_tensor(mask))
    for got, want in zip(layers[0].get_weights(), layers[1].get_weights()):
        np.testing.assert_allclose(got, want, rtol=1e-5)
        assert np.isfinite(got).all()


def test_renormalization_by_a_deviation_of_nothing():
    x = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")
    outputs = []
    for k in (kerasish, keras):
        layer = k.layers.BatchNormalization(renorm=True, renorm_clipping={})
        layer.build(x.shape)
        layer.renorm_stddev.assign([0.0, 0.01, 1.0])
        outputs.append(np.asarray(layer(x, training=True)))
    np.testing.assert_allclose(*outputs, rtol=1e-4)


def test_an_unknown_interpolation_is_refused_where_it_is_used():
    for k in (kerasish, keras):
        layer = k.layers.UpSampling2D(interpolation="Foo")
        assert layer.get_config()["interpolation"] == "foo"
        with pytest.raises(ValueError, match="interpolation"):
            layer(np.ones((1, 2, 2, 1), "float32"))


@pytest.mark.parametrize("shared, shape", [(None, (4, 1)), (None, (4, 5)), ([1], (2, 7, 3))])
def test_slopes_broadcast_unless_axes_are_shared(shared, shape):
    built = (2, 5) if shared is None else (2, 4, 3)
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    outputs = []
    for k in (kerasish, keras):
        layer = k.layers.PReLU(shared_axes=shared, alpha_initializer="ones")
        layer.build(built)
        outputs.append(np.asarray(layer(x)))
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("word", ["", None, "channels_last", "Channels_Last", "foo"])
@pytest.mark.parametrize("name", ["AdaptiveMaxPooling1D", "AdaptiveAveragePooling2D", "Flatten", "GlobalMaxPooling1D"])
def test_spellings_of_data_formats(name, word):
    sizes = {"output_size": 2} if "Adaptive" in name else {}
    results = []
    for k in (kerasish, keras):
        try:
            results.append(getattr(k.layers, name)(**sizes, data_format=word).get_config()["data_format"])
        except ValueError:
            results.append("refused")
    assert results[0] == results[1]


@pytest.mark.parametrize("name, arguments", [("Dense", {"units": 2}), ("Conv1D", {"filters": 1, "kernel_size": 1})])
def test_a_layer_has_no_path_before_it_is_built(name, arguments):
    for k in (kerasish, keras):
        layer = getattr(k.layers, name)(**arguments, name="mine")
        assert layer.path is None
        layer.build((1, 2, 3))
        assert layer.path == "mine"


@pytest.mark.parametrize("axis", [np.int64(1), np.int32(1), 1, [1], (1,), [np.int64(1)]])
@pytest.mark.parametrize("name, of", [("RMSNormalization", "axis"), ("Softmax", "axis"), ("PReLU", "shared_axes")])
def test_an_axis_may_be_an_integer_of_numpy(name, of, axis):
    x = np.random.default_rng(0).standard_normal((2, 3, 3)).astype("float32")
    ours, theirs = (getattr(k.layers, name)(**{of: axis}) for k in (kerasish, keras))
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-5)
    assert np.array_equal(ours.get_config()[of], theirs.get_config()[of])


@pytest.mark.parametrize(
    "equation, output_shape, bias_axes",
    [
        ("abc,cd->abd", (None, 3), "b"),
        ("abc,cd->abd", (None, 3), "bd"),
        ("abc,cd->abd", (4, 3), "bd"),
        ("abc,bcd->abd", (None, 3), None),
        ("abc,bcd->abd", (4, 3), "d"),
        ("abc,cd->abd", (None, 3), "d"),
        ("...c,cd->...d", 3, "d"),
        ("abc,cd->abd", 3, None),
    ],
)
def test_sizes_that_weights_of_an_einsum_have(equation, output_shape, bias_axes):
    x, found = np.ones((2, 4, 5), "float32"), []
    for k in (kerasish, keras):
        try:
            layer = k.layers.EinsumDense(equation, output_shape, bias_axes=bias_axes)
            found.append([tuple(layer(x).shape), *[tuple(w.shape) for w in layer.weights]])
        except (ValueError, IndexError):
            found.append("refused")
    assert found[0] == found[1]
