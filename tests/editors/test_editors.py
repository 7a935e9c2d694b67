"""What an editor knows of the library without running it: completions and signatures by jedi, types by pyright."""

import ast
import importlib
import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import kerasish

ROOT = Path(__file__).parents[2]
START = """\
import kerasish as keras
from kerasish import layers

model = keras.Sequential([layers.Dense(1)])
"""
COMPLETIONS = [
    ("keras.Seq", "Sequential"),
    ("keras.layers.Con", "Conv2D"),
    ("layers.MaxP", "MaxPooling2D"),
    ("keras.optimizers.Ad", "AdamW"),
    ("keras.optimizers.schedules.Cos", "CosineDecay"),
    ("keras.losses.Sparse", "SparseCategoricalCrossentropy"),
    ("keras.metrics.AU", "AUC"),
    ("keras.callbacks.Early", "EarlyStopping"),
    ("keras.ops.rel", "relu6"),
    ("keras.utils.to_c", "to_categorical"),
    ("keras.datasets.mn", "mnist"),
    ("keras.saving.load", "load_model"),
    ("keras.random.uni", "uniform"),
    ("keras.initializers.He", "HeNormal"),
    ("keras.config.set_d", "set_dtype_policy"),
    ("model.fi", "fit"),
    ("model.summ", "summary"),
    ("keras.Model(1, 1).pred", "predict"),
    ("keras.Gradient", "GradientTape"),
    ("keras.models.load_model('m.keras').eval", "evaluate"),
]
SIGNATURES = [
    ("keras.layers.Conv2D(", "filters kernel_size strides padding data_format dilation_rate groups activation"),
    ("layers.Dense(", "units activation use_bias kernel_initializer"),
    ("keras.optimizers.Adam(", "learning_rate beta_1 beta_2 epsilon amsgrad weight_decay clipnorm"),
    ("keras.optimizers.SGD(", "learning_rate momentum nesterov weight_decay"),
    ("keras.optimizers.schedules.CosineDecay(", "initial_learning_rate decay_steps alpha"),
    ("keras.losses.MeanSquaredError(", "reduction name dtype"),
    ("keras.callbacks.EarlyStopping(", "monitor min_delta patience"),
    ("keras.Sequential(", "layers trainable name"),
    ("keras.Input(", "shape batch_size dtype"),
    ("keras.utils.to_categorical(", "x num_classes"),
    ("keras.saving.load_model(", "filepath custom_objects compile safe_mode"),
    ("keras.ops.relu(", "x"),
    ("keras.ops.add(", "x1 x2"),
    ("keras.ops.matmul(", "x1 x2"),
    ("keras.device(", "name"),
    ("model.fit(", "x y batch_size epochs verbose callbacks validation_split validation_data shuffle"),
    ("model.compile(", "optimizer loss"),
    ("model.predict(", "x batch_size verbose steps callbacks"),
    ("model.evaluate(", "x y batch_size verbose"),
    ("model.save(", "filepath"),
]
SAMPLE = """\
import numpy as np

import kerasish as keras
from kerasish import layers

model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(8, 3, activation="relu"), keras.layers.Flatten()])
model.add(layers.Dense(10, activation="softmax"))
model.compile(keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.8), "mse", metrics=["accuracy"])
model.compile("adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[keras.metrics.AUC()])
history = model.fit(np.zeros((4, 28, 28, 1)), np.zeros(4), epochs=2, callbacks=[keras.callbacks.EarlyStopping()])
losses = history.history["loss"]
result = model.predict(np.zeros((4, 28, 28, 1)), verbose=0)
score = model.evaluate(np.zeros((4, 28, 28, 1)), np.zeros(4))
model.save("model.keras")
loaded = keras.models.load_model("model.keras")

inputs = keras.Input(shape=(32, 32, 3))
x = keras.ops.relu(layers.Conv2D(16, (3, 3), padding="same")(inputs))
functional = keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
functional.summary()


class Scale(keras.layers.Layer):
    def __init__(self, factor: float = 2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.w = self.add_weight(shape=(1,), initializer="ones")

    def call(self, x):
        return x * self.factor * self.w


with keras.GradientTape() as tape:
    loss = keras.ops.mean(model(np.zeros((1, 28, 28, 1))))
gradients = tape.gradient(loss, model.trainable_variables)
with keras.device("cpu"):
    v = keras.Variable([1.0, 2.0])
data = keras.utils.to_categorical([0, 1, 2])
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
keras.utils.set_random_seed(0)
step = keras.optimizers.schedules.CosineDecay(0.1, 100)
"""
TYPES = {
    "keras.layers.Conv2D": "type[Conv2D]",
    "model": "Sequential",
    "functional": "Functional | Model",
    "history": "History",
    "loaded": "Model",
    "keras.optimizers.Adam()": "Adam",
    "keras.utils.Progbar(3)": "Progbar",
    "inputs": "KerasTensor",
}


@pytest.fixture(scope="module")
def asked():
    """Asks jedi what it knows at the end of a line."""
    jedi = pytest.importorskip("jedi")
    project = jedi.Project(str(ROOT), added_sys_path=[str(ROOT)])

    def ask(question, line):
        text = START + line
        found = getattr(jedi.Script(text, project=project), question)
        return found(text.count("\n") + 1, len(line))

    return ask


def test_completions(asked):
    lacking = [line for line, name in COMPLETIONS if name not in [c.name for c in asked("complete", line)]]
    assert not lacking


def test_signatures(asked):
    wrong = {}
    for line, names in SIGNATURES:
        found = [[p.name for p in s.params] for s in asked("get_signatures", line)]
        if not any(parameters[: len(names.split())] == names.split() for parameters in found):
            wrong[line] = found
    assert not wrong


def pyright(folder, text):
    """Pyright's errors about a script, and the types that the script asks for."""
    if shutil.which("pyright") is None and importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed")
    (folder / "sample.py").write_text(text)
    (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT)], "pythonPlatform": "Linux"}))
    program = [shutil.which("pyright")] if shutil.which("pyright") else [sys.executable, "-m", "pyright"]
    command = [*program, "--outputjson", "--pythonpath", sys.executable, "sample.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout.lstrip().startswith("{"):
        pytest.skip(f"pyright cannot run here: {done.stderr[-200:]}")
    found = json.loads(done.stdout)["generalDiagnostics"]
    errors = [d["message"] for d in found if d["severity"] == "error"]
    return errors, [d["message"] for d in found if d["severity"] == "information"]


@pytest.mark.slow
def test_pyright_knows_the_types(tmp_path):
    errors, types = pyright(tmp_path, SAMPLE + "".join(f"reveal_type({expression})\n" for expression in TYPES))
    assert not errors
    assert types == [f'Type of "{expression}" is "{kind}"' for expression, kind in TYPES.items()]


@pytest.mark.slow
def test_pyright_sees_mistakes(tmp_path):
    text = """
        import kerasish as keras
        keras.layers.Nope(3)
        keras.optimizers.Adam(learning_rate="fast")
        keras.layers.Dense()
        """
    errors, _ = pyright(tmp_path, textwrap.dedent(text))
    assert len(errors) == 3 and '"Nope" is not a known attribute' in errors[0], errors


TABLES = [
    (kerasish, {*kerasish._NAMES, *kerasish._PACKAGES} - {"compat", "core", "kernels", "training"}),
    (kerasish.utils, set(kerasish.utils._HOMES)),
    (kerasish.saving, set(kerasish.saving._HOMES)),
]


@pytest.mark.parametrize("package, table", TABLES, ids=lambda value: getattr(value, "__name__", ""))
def test_editors_are_told_of_all_that_is_imported_late(package, table):
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    (block,) = [n for n in tree.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    told = {alias.asname or alias.name: node.module for node in block.body for alias in node.names}
    assert set(told) == table
    for name, module in told.items():
        if name != "device":  # for editors the function, not the package of its name
            assert getattr(importlib.import_module(module), name) is getattr(package, name)
