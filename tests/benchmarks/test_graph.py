"""A model as data: what the contestants that are no Keras walk."""

import numpy as np
import pytest

import kerasish as keras
from benchmarks.graph import Graph, graph_of
from benchmarks.workloads import WORKLOADS
from kerasish import layers


def kinds(graph):
    return [step.kind for step in graph.steps]


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_has_a_graph_that_can_run_in_its_order(name, tmp_path):
    model = WORKLOADS[name].build(keras)
    graph_of(model).save(tmp_path / "graph")
    graph = Graph.load(tmp_path / "graph")
    made = {graph.input}
    for step in graph.steps:
        assert made.issuperset(step.inputs)
        made.add(step.output)
    assert graph.output in made
    assert graph.shape == WORKLOADS[name].shape
    assert sum(w.size for step in graph.steps for w in step.weights) == model.count_params()


def test_activations_are_steps_of_their_own():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, activation="relu"), layers.ReLU(6.0)])
    graph = graph_of(model)
    assert kinds(graph) == ["Conv2D", "Activation", "Activation"]
    assert [step.config["activation"] for step in graph.steps[1:]] == ["relu", "relu6"]


@pytest.mark.parametrize(
    ("before", "after", "folded"),
    [
        ([], layers.Conv2D(2, 3), True),
        ([], layers.Conv2D(2, 3, padding="same"), False),
        (["relu"], layers.MaxPooling2D(2), True),
        ([], layers.MaxPooling2D(2), False),
    ],
    ids=["convolution", "padded already", "pooling of positive values", "pooling of any values"],
)
def test_zero_padding_joins_the_window_after_it(before, after, folded):
    activations = [layers.Activation(name) for name in before]
    graph = graph_of(
        keras.Sequential([keras.Input((8, 8, 1)), *activations, layers.ZeroPadding2D(((0, 1), (2, 3))), after])
    )
    assert ("ZeroPadding2D" not in kinds(graph)) == folded
    assert (graph.steps[-1].config["pads"] == ((0, 1), (2, 3))) == folded


def test_an_unknown_layer_is_refused_by_name():
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2DTranspose(2, 3, name="up")])
    with pytest.raises(ValueError, match="layer 'up' is a Conv2DTranspose"):
        graph_of(model)


@pytest.mark.parametrize("name", WORKLOADS)
def test_pytorch_and_onnx_compute_what_kerasish_computes(name, tmp_path):
    """The walks beside kerasish, where PyTorch and ONNX Runtime are installed."""
    torch = pytest.importorskip("torch")
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from benchmarks.onnx_model import save_onnx
    from benchmarks.torch_model import Network

    keras.utils.set_random_seed(0)
    model = WORKLOADS[name].build(keras)
    x, _ = WORKLOADS[name].data(2)
    graph = graph_of(model)
    save_onnx(graph, tmp_path / "model.onnx")
    want = model.predict(x, verbose=0)
    walked = Network(graph).probabilities(torch.from_numpy(x)).numpy()
    served = runtime.InferenceSession(str(tmp_path / "model.onnx")).run(None, {"images": x})[0]
    np.testing.assert_allclose(walked, want, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(served, want, rtol=1e-3, atol=1e-6)
