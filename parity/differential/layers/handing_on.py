"""Layers that hand on to something else: a function, another layer, a graph's beginning."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import batches, booleans, dims, made, one, seeds, some, with_required
from parity.differential.layers.draws import COMMON, image, inside, layer, tensor
from parity.differential.layers.running import layer_of
from parity.differential.outcome import as_json, attempt, plain
from parity.differential.subject import subject

FUNCTIONS = one(
    ("double", None),
    ("power", None),
    ("power", {"k": 3}),
    ("power", {"j": 3}),
    ("first", None),
    ("sign_of_training", None),
    ("moved_where_masked", None),
    ("widened", None),
    ("failing", None),
)
layer(
    "Lambda",
    st.tuples(
        FUNCTIONS,
        some(output_shape=one((2,), "whole", (3, 1), None), mask=one("handed_on", None), **COMMON),
    ).map(lambda t: {"function": t[0][0], **({} if t[0][1] is None else {"arguments": t[0][1]}), **t[1]}),
    tensor,
)


def run_wrapper(keras, data):
    """What a wrapper shows of the layer that it holds; it computes nothing."""
    keras.utils.set_random_seed(data["seed"])
    wrapper, shape = layer_of(keras, data), tuple(data["inputs"][0]["shape"])
    out = {"config": as_json(wrapper.get_config()), "before": [wrapper.path, wrapper.built]}
    wrapper.build(shape)
    wrapper.trainable = data["frozen"]
    out["weights"] = [[w.path, list(w.shape), w.dtype, w.trainable, plain(w)] for w in wrapper.weights]
    out["trainable"] = [w.path for w in wrapper.trainable_weights]
    out["build"], out["inner"] = plain(wrapper.get_build_config()), wrapper.layer.built
    if wrapper.weights:  # Keras gives no path to layers that it builds with nothing
        out["path"] = [wrapper.path, wrapper.layer.path]
    again = type(wrapper).from_config(wrapper.get_config())
    again.build_from_config(wrapper.get_build_config())
    out["again"] = [as_json(again.get_config()), [w.path for w in again.weights]]
    return out


subject(
    "layers",
    "Wrapper",
    st.fixed_dictionaries(
        {
            "layer": st.just("Wrapper"),
            "arguments": st.tuples(inside, some(**COMMON)).map(lambda t: {"layer": t[0], **t[1]}),
            "inputs": st.tuples(image(1, 1, 4)),
            "frozen": booleans,
            "seed": seeds,
        }
    ),
    run_wrapper,
)


def run_input(keras, data):
    """An input as a layer and by the function: its tensor, its configuration, a model of it alone."""
    arguments = data["arguments"]
    start = keras.layers.InputLayer(**arguments)
    x = start.output
    out = {"config": as_json(start.get_config()), "text": repr(start)}
    out["tensor"] = [list(x.shape), keras.backend.standardize_dtype(x.dtype), x.name]
    out["layer"] = [start.name, start.built, len(start.weights), plain(start.batch_shape), str(start.dtype)]
    out["again"] = as_json(keras.layers.InputLayer.from_config(start.get_config()).get_config())
    y = keras.Input(**{k: v for k, v in arguments.items() if k != "input_tensor"})
    out["function"] = [list(y.shape), keras.backend.standardize_dtype(y.dtype), type(y).__name__]
    model = keras.Model(y, keras.layers.Identity()(y))
    out["model"] = attempt(lambda: plain(model(made(data["value"]))))
    return out


SHAPES = one((3,), (), (None,), (2, None), [4, 1], (2, 3), None, 3, (-1,), ("a",), (0,), (2.0,))
subject(
    "layers",
    "InputLayer",
    st.fixed_dictionaries(
        {
            "arguments": st.one_of(
                *[
                    with_required({"shape": SHAPES}, {"batch_size": one(2, None, 3)} | more)
                    for more in [
                        {
                            "dtype": one("float32", "int32", "bool", "float64", "float16", "uint8", "foo", None),
                            "name": one("mine", None, "a/b"),
                            "optional": booleans,
                            "sparse": one(False, None),
                            "batch_shape": one(None, None, (2, 3)),
                        }
                    ]
                ],
                with_required(
                    {
                        "batch_shape": st.one_of(
                            st.tuples(batches, dims), one((None, 3), (2, None), (None,), (), [2, 3])
                        )
                    },
                    {"dtype": one("float32", "int64"), "name": one("mine"), "batch_size": one(None, None, 2)},
                ),
            ),
            "value": tensor,
        }
    ),
    run_input,
)
