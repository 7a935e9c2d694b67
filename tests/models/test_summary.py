"""`model.summary()` prints what real Keras prints, character for character."""

import io
import sys

import keras
import numpy as np
import pytest

import kerasish
from kerasish.models.summary import readable_memory_size


def convnet(k):
    layers = k.layers
    first = layers.Conv2D(32, 3, activation="relu")
    rest = [layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5), layers.Dense(10)]
    return k.Sequential([k.Input((28, 28, 1)), first, *rest])


def compiled(k):
    model = convnet(k)
    model.compile("adam", "mse")
    return model


def trained(k):
    model = compiled(k)
    model.optimizer.build(model.trainable_variables)
    return model


def frozen(k):
    model = trained(k)
    model.layers[0].trainable = False
    return model


def deferred(k):
    return k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])


def deferred_built(k):
    model = deferred(k)
    model.build((None, 4))
    return model


def branches(k):
    layers = k.layers
    a, b, shared = k.Input((8,), name="a"), k.Input((8,), name="b"), layers.Dense(8, name="shared")
    x = layers.Concatenate()([shared(a), shared(b)])
    x = layers.Add()([x, x])
    return k.Model([a, b], [layers.Dense(1, name="out")(x), k.ops.relu(x * 2.0) + 1])


def bool_weights(k):
    class Chooser(k.layers.Layer):
        def build(self, input_shape):
            self.chosen = self.add_weight(shape=(11,), dtype="bool", initializer="zeros", trainable=False, name="c")
            self.counts = self.add_weight(shape=(3,), dtype="uint8", initializer="zeros", trainable=False, name="n")

        def call(self, x):
            return x

    x = k.Input((4,))
    return k.Model(x, Chooser()(x))


def shared_layer(k):
    x, layer = k.Input((4,)), k.layers.Dense(4)
    return k.Model(x, [layer(x), layer(layer(x))])


def nested(k):
    x = k.Input((8,))
    y = k.layers.Dense(16, name="a_very_long_layer_name_that_goes_on_and_on")(x)
    inner = k.Model(x, k.layers.BatchNormalization()(y), name="inner")
    z = k.Input((8,))
    return k.Model(z, k.layers.Dense(3)(inner(z)), name="outer")


def nested_chain(k):
    inner = k.Sequential([k.layers.Dense(4), k.layers.Dense(5)], name="inner")
    return k.Sequential([k.Input((8,)), inner, k.layers.Dense(3)])


def double(k):
    layers = [k.layers.Dense(10, dtype="float64"), k.layers.BatchNormalization(dtype="float64")]
    return k.Sequential([k.Input((10,), dtype="float64"), *layers])


def brackets(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(2, name="dense_[bold]x"), k.layers.Dense(2, name="a[1]")])


def subclassed(k):
    class Subclassed(k.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = k.layers.Dense(2), k.layers.Dense(3)
            self.chain = k.Sequential([k.layers.Dense(1)])

        def call(self, x):
            return self.second(self.first(x)) + self.chain(x)

    return Subclassed()


def subclassed_called(k):
    model = subclassed(k)
    model(np.ones((1, 3), "float32"))
    return model


def two_outputs(k):
    class Split(k.layers.Layer):
        def call(self, x):
            return x, x

        def compute_output_shape(self, shape):
            return shape, shape

    x = k.Input((4,))
    first, second = Split(name="split")(x)
    return k.Model(x, [first, second])


def big(k):
    return k.Sequential([k.Input((1000,)), k.layers.Dense(1000), k.layers.Dense(1000)], name="big")


ROWS = {
    "convnet": (convnet, {}),
    "trainable column": (convnet, {"show_trainable": True}),
    "narrow": (convnet, {"line_length": 60}),
    "very narrow": (convnet, {"line_length": 40}),
    "positions": (convnet, {"positions": [0.5, 0.8, 1.0]}),
    "range": (convnet, {"layer_range": ["conv2d", "flatten"]}),
    "range by pattern, backwards": (convnet, {"layer_range": ["dr.*", "max.*"]}),
    "compiled": (compiled, {}),
    "trained": (trained, {}),
    "frozen": (frozen, {"show_trainable": True}),
    "deferred": (deferred, {}),
    "deferred, built": (deferred_built, {}),
    "empty": (lambda k: k.Sequential(), {}),
    "branches": (branches, {}),
    "branches, trainable": (branches, {"show_trainable": True}),
    "bool weights": (bool_weights, {}),
    "shared layer": (shared_layer, {}),
    "nested": (nested, {}),
    "nested, expanded": (nested, {"expand_nested": True}),
    "nested, expanded, trainable": (nested, {"expand_nested": True, "show_trainable": True}),
    "nested chain": (nested_chain, {"expand_nested": True}),
    "float64": (double, {}),
    "brackets in names": (brackets, {}),
    "subclassed": (subclassed, {}),
    "subclassed, called": (subclassed_called, {}),
    "subclassed, expanded": (subclassed_called, {"expand_nested": True}),
    "two outputs": (two_outputs, {}),
    "a million parameters": (big, {}),
    "identity": (lambda k: k.Model(x := k.Input((4,)), x), {}),
}


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def build(k, builder):
    k.utils.clear_session()
    return builder(k)


def captured(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines


@pytest.mark.parametrize("builder, options", ROWS.values(), ids=ROWS)
def test_as_in_keras(builder, options):
    ours, theirs = (captured(build(k, builder), **options) for k in (kerasish, keras))
    assert ours[0].splitlines() == theirs[0].splitlines()
    assert ours == theirs


@pytest.mark.parametrize("builder", [convnet, branches], ids=["chain", "graph"])
@pytest.mark.parametrize("columns", ["60", "120", "200"])
def test_fits_the_terminal_as_in_keras(builder, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    ours, theirs = (captured(build(k, builder)) for k in (kerasish, keras))
    assert ours == theirs


def test_printed_as_in_keras(capsys):
    printed = []
    for k in (kerasish, keras):
        build(k, convnet).summary()
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


def test_line_length_is_honoured_beyond_the_terminal():
    lines = captured(build(kerasish, branches), line_length=120)[0].splitlines()
    assert {len(line) for line in lines[1:-3]} == {120}


def test_absolute_positions():
    top = captured(build(kerasish, convnet), positions=[30, 60, 75], line_length=75)[0].splitlines()[1]
    assert [i for i, c in enumerate(top) if c == "┳"] == [30, 59]


ERRORS = {
    "one name": {"layer_range": ["conv2d"]},
    "no such layer": {"layer_range": ["nothing", "flatten"]},
    "not names": {"layer_range": [0, 1]},
    "too narrow": {"line_length": 10},
}


@pytest.mark.parametrize("options", ERRORS.values(), ids=ERRORS)
def test_errors_as_in_keras(options):
    messages = []
    for k in (kerasish, keras):
        with pytest.raises(ValueError) as caught:
            captured(build(k, convnet), **options)
        messages.append(str(caught.value))
    assert messages[0][:40] == messages[1][:40]


def test_a_stream_without_box_characters_gets_ascii(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    build(kerasish, nested).summary(expand_nested=True)
    text = raw.getvalue().decode("ascii")
    assert 'Model: "outer"' in text and "?" not in text
    assert len({len(line) for line in text.splitlines()[1:-3]}) == 1
    assert "` a_very_long" in text.replace("\n|", "") or "`" in text


def test_logged_when_interactive_logging_is_off(capsys, caplog):
    kerasish.utils.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="kerasish"):
            build(kerasish, deferred).summary()
    finally:
        kerasish.utils.enable_interactive_logging()
    assert capsys.readouterr().out == "" and "dense_1 (Dense)" in caplog.text


@pytest.mark.parametrize(
    "size, text", [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (4799528, "4.58 MB"), (2**60, "1024.00 PB")]
)
def test_readable_sizes(size, text):
    assert readable_memory_size(size) == text
