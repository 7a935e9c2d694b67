"""keras.backend: the names that Keras has there, with the same meaning."""

import inspect

import pytest

import kerasish
from kerasish import backend

DTYPES = ("bfloat16", "float32", "float8_e4m3fn", "int8", "uint8", "bool", "string", float, None)


@pytest.fixture(scope="module")
def theirs():
    import keras

    return keras.backend


def test_names_and_signatures(theirs):
    names = [n for n in dir(theirs) if not n.startswith("_")]
    assert names == sorted(backend.__all__)
    for name in names:
        want, got = (inspect.signature(getattr(m, name)).parameters for m in (theirs, backend))
        assert [(p.name, p.default) for p in got.values()] == [(p.name, p.default) for p in want.values()]


@pytest.mark.parametrize("name", ["is_float_dtype", "is_int_dtype", "standardize_dtype"])
def test_dtypes_equal_keras(theirs, name):
    assert [getattr(backend, name)(d) for d in DTYPES] == [getattr(theirs, name)(d) for d in DTYPES]


def test_unknown_dtype():
    with pytest.raises(ValueError, match="Invalid dtype: nothing"):
        backend.standardize_dtype("nothing")


def test_settings_are_those_of_config():
    assert (backend.backend(), backend.floatx(), backend.image_data_format()) == ("numba", "float32", "channels_last")
    backend.set_epsilon(1e-3)
    try:
        assert kerasish.config.epsilon() == backend.epsilon() == 1e-3
    finally:
        backend.set_epsilon(1e-7)


def test_numbers_of_names_start_anew_in_a_session():
    assert [backend.get_uid("a"), backend.get_uid("a"), backend.get_uid()] == [1, 2, 1]
    backend.clear_session()
    assert backend.get_uid("a") == 1


def test_is_keras_tensor():
    assert backend.is_keras_tensor(kerasish.Input((2,)))
    assert not backend.is_keras_tensor(kerasish.ops.ones(2))
