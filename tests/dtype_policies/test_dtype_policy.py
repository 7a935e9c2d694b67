"""Dtype policies answer as real Keras's do, and say what they cannot do yet."""

import keras
import numpy as np
import pytest

import kerasish
from kerasish import dtype_policies

NAMES = ["float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "int8", "bool", None]


def facts(policy):
    return (repr(policy), policy.name, policy.compute_dtype, policy.variable_dtype, policy.get_config())


@pytest.mark.parametrize("name", NAMES)
def test_as_in_keras(name):
    assert facts(dtype_policies.DTypePolicy(name)) == facts(keras.DTypePolicy(name))


@pytest.mark.parametrize("identifier", ["float64", np.float32, np.dtype("float64"), None])
def test_get_as_in_keras(identifier):
    assert facts(dtype_policies.get(identifier)) == facts(keras.dtype_policies.get(identifier))


@pytest.mark.parametrize("cls", ["DTypePolicy", "FloatDTypePolicy"])
def test_configs_cross(cls):
    theirs = keras.dtype_policies.serialize(getattr(keras.dtype_policies, cls)("mixed_float16"))
    ours = dtype_policies.serialize(getattr(dtype_policies, cls)("mixed_float16"))
    assert ours == theirs
    assert dtype_policies.get(theirs) == getattr(dtype_policies, cls)("mixed_float16")


@pytest.mark.parametrize("name, error", [("foo", ValueError), ("mixed_int8", ValueError), (3, TypeError)])
def test_bad_names(name, error):
    for cls in (dtype_policies.DTypePolicy, keras.DTypePolicy):
        with pytest.raises(error, match="mixed_float16"):
            cls(name)


def test_get_refuses_other_things():
    for module in (dtype_policies, keras.dtype_policies):
        with pytest.raises(ValueError, match="Cannot interpret `dtype` argument"):
            module.get(3)


@pytest.mark.parametrize("name", ["int8_from_float32", "int4/128_from_float32", "gptq/4/128_from_float32"])
def test_quantized_policies_are_not_supported(name):
    with pytest.raises(NotImplementedError, match="use a float policy"):
        dtype_policies.get(name)


@pytest.mark.parametrize("name", ["mixed_float16", "bfloat16"])
def test_unsupported_dtypes_name_the_layer(name):
    with pytest.raises(NotImplementedError, match=f"layer 'd': dtype policy '{name}'.*dtype='float32'"):
        dtype_policies.require_supported(dtype_policies.DTypePolicy(name), "d")


def test_supported_dtypes():
    for name in ("float32", "float64", "int32", "uint8"):
        dtype_policies.require_supported(dtype_policies.DTypePolicy(name))


def test_policies_are_read_only_and_comparable():
    policy = dtype_policies.DTypePolicy("float32")
    with pytest.raises(AttributeError):
        policy.name = "float64"
    assert policy == dtype_policies.DTypePolicy("float32") != dtype_policies.DTypePolicy("float64")


def test_convert_input():
    policy = dtype_policies.DTypePolicy("float64")
    ones = kerasish.ops.ones(2)
    cases = [(ones, True, "float64"), (ones, False, "float32"), (np.ones(2, "int32"), True, "int32")]
    assert [policy.convert_input(x, autocast, "float64").dtype for x, autocast, _ in cases] == [c[2] for c in cases]
    symbolic = policy.convert_input(kerasish.Input((2,)), True, "float64")
    assert (symbolic.shape, symbolic.dtype) == ((None, 2), "float64")
    assert policy.convert_input("text", True, "float64") == "text"


def test_map():
    policies = dtype_policies.DTypePolicyMap("float32", {"head/dense": "float64"})
    assert policies["head/dense"].name == "float64" and policies["other"].name == "float32"
    assert (policies.name, policies.compute_dtype, policies.variable_dtype) == ("map_float32", "float32", "float32")
    assert list(policies) == ["head/dense"] and "other" not in policies
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert again == policies and "mapping=[('head/dense', 'float64')]" in repr(again)
    with pytest.raises(ValueError, match="already exist in the DTypePolicyMap"):
        policies["head/dense"] = "float32"
    with pytest.raises(ValueError, match="Cannot interpret the assigned value"):
        policies["x"] = 3
    with pytest.raises(TypeError, match="`policy_map` must be a dict"):
        dtype_policies.DTypePolicyMap("float32", 3)
    del policies["head/dense"]
    assert len(policies) == 0
