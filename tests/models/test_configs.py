"""Configs of models: those of Keras 2, those that do not close; what there is before `compile`."""

import keras
import pytest

import kerasish


def _keras_2_layers(before: str) -> dict:
    """A config whose layers have no module, as Keras 2 wrote them."""
    entry = {"batch_input_shape": [None, 10], "dtype": "float32", "name": "input_1"}
    return {
        "name": "net",
        "layers": [
            {"class_name": "InputLayer", "name": "input_1", "config": entry, "inbound_nodes": []},
            {
                "class_name": "Dense",
                "name": "a",
                "config": {"units": 3, "name": "a"},
                "inbound_nodes": [[[before, 0, 0, {}]]],
            },
        ],
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["a", 0, 0]],
    }


def test_layers_of_a_config_need_no_module():
    for k in (kerasish, keras):
        model = k.Model.from_config(_keras_2_layers("input_1"))
        assert model.output_shape == (None, 3)


@pytest.mark.parametrize("before, text", [("b", "Missing node: b"), ("a", "loop")])
def test_a_config_of_a_graph_that_does_not_close_says_why(before, text):
    for k in (kerasish, keras):
        with pytest.raises(ValueError, match=text):
            k.Model.from_config(_keras_2_layers(before))


def test_there_is_no_optimizer_before_compile():
    for k in (kerasish, keras):
        model = k.Sequential([k.Input((2,)), k.layers.Dense(1)])
        assert not hasattr(model, "optimizer")
        model.compile("sgd", "mse")
        assert type(model.optimizer) is k.optimizers.SGD


def test_the_shape_of_what_is_not_built_is_not_implemented():
    for k in (kerasish, keras):

        class Scale(k.layers.Layer):
            def build(self, input_shape):
                self.factor = self.add_weight(shape=(input_shape[-1],))

            def call(self, x):
                return x * self.factor

        with pytest.raises(NotImplementedError, match="does not have a `compute_output_shape` method implemented"):
            Scale().compute_output_shape((None, 3))


def test_who_is_frozen_in_what_was_frozen_as_a_whole():
    """The constructor's `trainable` is the model's alone; a Sequential's config does not bring it back."""

    def flags(*models):
        return [(m.trainable, [layer.trainable for layer in m.layers], len(m.trainable_weights)) for m in models]

    found = {}
    for k in (kerasish, keras):
        x, layer = k.Input((3,)), k.layers.Dense(2)
        graph, row = k.Model(x, layer(x), trainable=False), k.Sequential([x, k.layers.Dense(2)], trainable=False)
        found[k] = flags(
            graph, row, k.Model.from_config(graph.get_config()), k.Sequential.from_config(row.get_config())
        )
        graph.trainable = row.trainable = False
        found[k] += flags(
            graph, row, k.Model.from_config(graph.get_config()), k.Sequential.from_config(row.get_config())
        )
        found[k] += flags(k.models.clone_model(graph), k.models.clone_model(row))
    assert found[kerasish] == found[keras]
