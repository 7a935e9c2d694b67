"""Initializers beside real Keras: values from the same seed, configs, names, refusals."""

import inspect

import keras
import numpy as np
import pytest
import scipy.signal

import kerasish
import kerasish.initializers
import kerasish.random

MODULES = [kerasish, keras]
EXACT = {"GlorotUniform", "LecunUniform", "HeUniform", "RandomUniform"}
SEEDED = "GlorotUniform GlorotNormal LecunUniform LecunNormal HeUniform HeNormal RandomNormal RandomUniform " + (
    "TruncatedNormal VarianceScaling Orthogonal"
)


def compare(call, tolerance=1e-6):
    ours, theirs = call(kerasish.initializers), call(keras.initializers)
    assert ours.dtype == keras.backend.standardize_dtype(theirs.dtype)
    ours, theirs = ours.numpy(), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours.astype("f8"), theirs.astype("f8"), rtol=0, atol=tolerance)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (3, 3, 2, 7), (2, 1, 3)])
@pytest.mark.parametrize("name", SEEDED.split())
def test_same_seed_same_values(name, shape):
    tolerance = 0 if name in EXACT else 1e-5 if name == "Orthogonal" else 1e-6
    compare(lambda i: getattr(i, name)(seed=3)(shape), tolerance)


@pytest.mark.parametrize("dtype, tolerance", [("float16", 1e-3), ("bfloat16", 0), ("float64", 1e-12)])
def test_dtypes(dtype, tolerance):
    for name in SEEDED.split():
        if (name, dtype) != ("Orthogonal", "bfloat16"):  # TensorFlow has no QR of bfloat16
            compare(lambda i: getattr(i, name)(seed=3)((3, 4), dtype=dtype), tolerance)
    for name in ("Zeros", "Ones", "Constant", "Identity"):
        compare(lambda i: getattr(i, name)()((3, 4), dtype=dtype), 0)


@pytest.mark.parametrize(
    "call",
    [
        lambda i: i.Constant(2.5)((2, 3)),
        lambda i: i.Constant([1.0, 2.0])((3, 2)),
        lambda i: i.Constant(True)((3,)),
        lambda i: i.Zeros()((2,), dtype="int32"),
        lambda i: i.Ones()((2,), dtype="bool"),
        lambda i: i.Zeros()(3),
        lambda i: i.Identity(2.0)((2, 3)),
        lambda i: i.Orthogonal(gain=2.0, seed=1)((4, 6)),
        lambda i: i.RandomNormal(1, 2.0, seed=1)((4, 6)),
        lambda i: i.RandomUniform(1, 5, seed=1)((20,), dtype="int32"),
        lambda i: i.GlorotUniform(seed=1)(()),
        lambda i: i.GlorotUniform(seed=1)((5,)),
        lambda i: i.GlorotUniform(seed=1)((0, 3)),
        lambda i: i.VarianceScaling(2.0, "fan_out", "uniform", seed=1)((4, 6)),
        lambda i: i.VarianceScaling(2.0, "fan_avg", "untruncated_normal", seed=1)((4, 6)),
        lambda i: i.VarianceScaling(distribution="normal", seed=1)((4, 6)),
        lambda i: i.GlorotUniform(seed=1, input_axes=[0], output_axes=[1, 2])((4, 5, 6)),
        lambda i: i.GlorotUniform(seed=1, input_axes=[0])((4, 5, 6)),
        lambda i: i.get(np.arange(3.0))((3,)),
        lambda i: i.get("he_normal").clone().__class__(seed=2)((3, 3)),
    ],
)
def test_values(call):
    compare(call)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"side": "imag"},
        {"window": None},
        {"scaling": None},
        {"scaling": "spectrum", "periodic": True},
        {"window": "hamming"},
        {"window": "boxcar"},
        {"window": np.arange(1.0, 9.0)},
    ],
)
def test_stft(arguments):
    compare(lambda i: i.STFT(**arguments)((8, 1, 5)))


WINDOWS = """
barthann brthan bth bartlett bart brt blackman black blk blackmanharris blackharr bkh bohman bman bmn boxcar
box ones rect rectangular cosine halfcosine exponential poisson flattop flat flt hamming hamm ham hann han lanczos sinc
nuttall nutl nut parzen parz par taylor taylorwin triangle triang tri tukey tuk""".split()


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("periodic", [True, False])
def test_windows(name, periodic):
    for length in (1, 2, 3, 8, 13):
        stft = kerasish.initializers.STFT(window=name, scaling=None, periodic=periodic)
        kernel = stft((length, 1, 5), "float64").numpy()
        np.testing.assert_allclose(kernel[:, 0, 0], scipy.signal.get_window(name, length, periodic), atol=1e-12)


@pytest.mark.parametrize("name", ["kaiser", "chebwin", "gaussian", "dpss", "general cosine", "x", ""])
def test_windows_without_a_value_by_name(name):
    for module in MODULES:
        with pytest.raises(ValueError, match="window|parameter"):
            module.initializers.STFT(window=name)


def test_seed_generators_move_on_and_integers_do_not():
    drawn = []
    for module in MODULES:
        fixed = module.initializers.HeUniform(seed=3)
        moving = module.initializers.HeUniform(seed=module.random.SeedGenerator(3))
        drawn.append([np.asarray(i((3, 3))) for i in (fixed, fixed, moving, moving)])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[0][0], drawn[0][1]) and not np.array_equal(drawn[0][2], drawn[0][3])


def test_every_name_config_and_signature():
    for name in dir(keras.initializers):
        theirs = getattr(keras.initializers, name)
        if not isinstance(theirs, type):
            continue
        ours = getattr(kerasish.initializers, name)
        assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
        if theirs is not keras.initializers.Initializer:
            a, b = (module.initializers.serialize(getattr(module.initializers, name)()) for module in MODULES)
            assert a == b
            assert kerasish.initializers.deserialize(b).get_config() == b["config"]


@pytest.mark.parametrize(
    "build",
    [
        lambda k: k.initializers.Constant(np.ones(2)),
        lambda k: k.initializers.Constant([1, 2]),
        lambda k: k.initializers.VarianceScaling(2.0, "fan_out", "normal", seed=3, input_axes=(0,)),
        lambda k: k.initializers.Orthogonal(2.0, seed=k.random.SeedGenerator(3, name="s")),
    ],
)
def test_configs(build):
    config = kerasish.initializers.serialize(build(kerasish))
    assert config == keras.initializers.serialize(build(keras))
    assert kerasish.initializers.serialize(kerasish.initializers.deserialize(config)) == config


def test_gain_of_identity_survives():
    config = kerasish.initializers.Identity(2.0).get_config()
    assert kerasish.initializers.Identity.from_config(config).gain == 2.0


NAMES = (
    "glorot_uniform GlorotUniform zeros zero one normal uniform identity IdentityInitializer stft STFTInitializer "
    "orthogonal OrthogonalInitializer random_normal lecun_normal variance_scaling truncated_normal VarianceScaling"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_get(name):
    assert type(kerasish.initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__


def test_get_other_things():
    def mine(shape, dtype=None):
        return np.ones(shape)

    get = kerasish.initializers.get
    assert get(None) is None and get(mine) is mine
    assert isinstance(get(kerasish.initializers.Zeros), kerasish.initializers.Zeros)
    assert get({"class_name": "random_normal", "config": {"stddev": 2.0}}).stddev == 2.0
    assert kerasish.initializers.serialize(mine) == keras.initializers.serialize(mine)


@pytest.mark.parametrize(
    "call",
    [
        lambda i: i.get("nonsense"),
        lambda i: i.get(""),
        lambda i: i.get(3),
        lambda i: i.get({"a": 1}),
        lambda i: i.get(np.arange(3.0))((2,)),
        lambda i: i.GlorotUniform(seed="a"),
        lambda i: i.VarianceScaling(scale=0),
        lambda i: i.VarianceScaling(mode="x"),
        lambda i: i.VarianceScaling(distribution="x"),
        lambda i: i.Identity()((2, 3, 4)),
        lambda i: i.Orthogonal()((2,)),
        lambda i: i.STFT(side="x"),
        lambda i: i.STFT(scaling="x"),
        lambda i: i.STFT(window="x")((8, 1, 5)),
        lambda i: i.STFT(window=[1.0] * 7)((8, 1, 5)),
        lambda i: i.STFT()((8, 5)),
        lambda i: i.Zeros()((None, 2)),
    ],
)
def test_refusals(call):
    for module in MODULES:
        with pytest.raises(ValueError):
            call(module.initializers)


@pytest.mark.parametrize("name", ["RandomNormal", "TruncatedNormal", "Orthogonal"])
def test_whole_numbers_are_refused(name):
    for module in MODULES:
        with pytest.raises(TypeError):
            getattr(module.initializers, name)()((2, 2), dtype="int32")


def test_the_base_does_nothing():
    for module in MODULES:
        assert module.initializers.Initializer().get_config() == {}
        with pytest.raises(NotImplementedError):
            module.initializers.Initializer()((2,))
