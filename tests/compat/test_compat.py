import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

ROOT = str(pathlib.Path(__file__).parents[2])


def python(*arguments, cwd=None, stdin=None, **environment):
    env = {**os.environ, "PYTHONPATH": ROOT, **environment}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, env=env, input=stdin, timeout=120
    )


@pytest.fixture
def script(tmp_path):
    def write(text, name="script.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    return write


def test_names_are_this_library(script):
    """Every spelling of the import gives the same module objects, and nothing of the real packages."""
    path = script(
        """
        import sys
        import keras
        import keras.utils as utils
        import keras.losses
        import tensorflow as tf
        import tensorflow.keras as tk
        import tensorflow.keras.losses
        from keras.losses import MeanSquaredError
        from tensorflow import keras as k1
        from tensorflow.keras.utils import to_categorical
        from tensorflow.python import keras as k2
        from tensorflow.python.keras.losses import MeanSquaredError as M2
        import tensorflow.python.keras.utils as u2
        import kerasish
        import kerasish.losses

        assert keras is kerasish is tk is k1 is k2 is tf.keras
        assert utils is u2 is kerasish.utils is keras.utils and keras.losses is kerasish.losses is tf.keras.losses
        assert MeanSquaredError is M2 is kerasish.losses.MeanSquaredError
        assert kerasish.utils.__spec__.name == kerasish.utils.__name__ == "kerasish.utils"
        assert keras.utils.to_categorical is to_categorical
        wrong = [n for n, m in sys.modules.items() if "site-packages/keras/" in (getattr(m, "__file__", None) or "")]
        assert not wrong and not any(n.startswith("keras.src") for n in sys.modules)
        print("same")
        """
    )
    result = python("-m", "kerasish", path)
    assert (result.stdout, result.stderr, result.returncode) == ("same\n", "", 0)


def test_script_sees_what_python_would_show(script, tmp_path):
    path = script("import sys, helper; print(__name__, __file__, sys.argv, sys.path[0]); print(__builtins__)")
    (tmp_path / "helper.py").write_text("")
    ours = python("-m", "kerasish", path, "a", "--help", cwd="/")
    plain = python(path, "a", "--help", cwd="/")
    assert ours.stdout == plain.stdout and ours.stderr == "" and ours.returncode == 0


@pytest.mark.parametrize(
    "text", ["1 / 0", "def f():\n    raise KeyError('x')\n\nf()", "if True print(1)", "import does_not_exist", "x ="]
)
def test_traceback_is_that_of_python(text, script):
    path = script(text)
    ours, plain = python("-m", "kerasish", path), python(path)
    assert ours.stderr == plain.stderr
    assert ours.returncode == plain.returncode == 1


@pytest.mark.parametrize(
    "text, code",
    [("pass", 0), ("raise SystemExit(3)", 3), ("import sys; sys.exit('why')", 1), ("raise KeyboardInterrupt", 130)],
)
def test_exit_codes(text, code, script):
    assert python("-m", "kerasish", script(text)).returncode == code


def test_module_code_and_stdin(script, tmp_path):
    script("import sys, keras; print(keras.__name__, __name__, sys.argv[1:])", "mod.py")
    assert python("-m", "kerasish", "-m", "mod", "x", cwd=tmp_path).stdout == "kerasish __main__ ['x']\n"
    code = "import sys, keras; print(keras.__name__, sys.argv)"
    assert python("-m", "kerasish", "-c", code, "x").stdout == "kerasish ['-c', 'x']\n"
    assert python("-m", "kerasish", "-", "x", stdin=code).stdout == "kerasish ['-', 'x']\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere.py"], "no file or command named 'nowhere.py'; the commands are demo, doctor"),
        (["/"], "'/' is a directory"),
        (["--wrong"], "unknown option --wrong"),
        (["-c"], "argument expected for -c"),
        (["summary", "nowhere.keras"], "no file named 'nowhere.keras'"),
    ],
)
def test_command_line_errors(arguments, message):
    result = python("-m", "kerasish", *arguments)
    assert result.returncode == 2 and message in result.stderr and "Traceback" not in result.stderr


def test_help_and_version():
    import kerasish

    text = python("-m", "kerasish", "--help").stdout
    assert all(word in text for word in ("script.py", "demo", "doctor", "summary", "warmup"))
    assert python("-m", "kerasish").stdout == text
    assert python("-m", "kerasish", "--version").stdout == f"kerasish {kerasish.__version__}\n"


def test_doctor():
    text = python("-m", "kerasish", "doctor").stdout
    for heading in ("kerasish", "Python", "packages", "processor", "threads", "kernel cache", "device", "next step"):
        assert f"\n{heading} " in f"\n{text}"


MISSING = [
    (
        "from keras.losses import Nope",
        "cannot import name 'Nope' from 'keras.losses': neither Keras 3",
    ),
    ("import keras.nope", "No module named 'keras.nope': neither Keras 3 nor kerasish has it"),
    ("from keras.src.layers import Dense", "keras.src is private to Keras; import the public name"),
    ("from keras.utils import np_utils", "it belongs to Keras 2; import to_categorical from keras.utils"),
    ("from keras.utils import FeatureSpace", "it is not in kerasish yet; make one array of the features"),
    ("import keras.engine.topology", "it belongs to Keras 2; import Layer from keras.layers"),
    (
        "from keras.layers.normalization import BatchNormalization",
        "belongs to Keras 2; import the layer",
    ),
    ("import keras.applications", "No module named 'keras.applications': it is not in kerasish yet; build"),
    (
        "from tensorflow.keras.applications import VGG16",
        "'tensorflow.keras.applications': it is not in kerasish yet",
    ),
    (
        "from tensorflow.keras import mixed_precision",
        "name 'mixed_precision' from 'keras': it is not in kera",
    ),
    ("import keras; keras.wrappers", "it is not in kerasish yet; give a class of your own"),
    (
        "import tensorflow as tf; tf.keras.layers.LSTM",
        "'keras.layers' has no attribute 'LSTM': it is not in ker",
    ),
    (
        "from keras.preprocessing.text import Tokenizer",
        "belongs to Keras 2; turn words into numbers with a Python",
    ),
    (
        "from keras.preprocessing.image import ImageDataGenerator",
        "Keras 2; read files with keras.utils.image",
    ),
    ("from keras import backend as K; K.permute_dimensions", "it belongs to Keras 2; use keras.ops.transpose"),
    ("import tensorflow as tf; tf.placeholder", "does not have it; use keras.Input()"),
    ("from tensorflow import placeholder", "cannot import name 'placeholder' from 'tensorflow'.*use keras.Input"),
    ("import tensorflow.contrib.layers", "No module named 'tensorflow.contrib'.*ended with TensorFlow 1"),
    ("from tensorflow.python.framework import ops", "use the public names in keras"),
    ("import tensorflow as tf; tf.identity", "use the tensor as it is"),
    ("import tensorflow as tf; tf.string", "there are no tensors of text"),
    ("import tensorflow as tf; tf.lookup.StaticHashTable", "turn words into numbers before training"),
    ("import tensorflow as tf; tf.math.lgamma_", "use keras.ops or NumPy"),
    ("import tensorflow as tf; tf.math.segment_max", "use keras.ops.segment_max"),
    ("import tensorflow as tf; tf.linalg.inv", "numpy.linalg.inv computes it of x.numpy"),
    (
        "import tensorflow as tf; tf.config.experimental.nope",
        "config.experimental' has no attribute 'nope'",
    ),
    ("import tensorflow as tf; tf.data.experimental.nope", "write a Python generator"),
    ("import tensorflow as tf; tf.data.TFRecordDataset", "write a Python generator"),
    (
        "import tensorflow as tf; tf.data.Dataset.list_files",
        "object 'Dataset' has no attribute 'list_files': kera",
    ),
    (
        "import tensorflow as tf; tf.data.Dataset.range(2).interleave",
        "no attribute 'interleave': .*as_numpy_it",
    ),
    (
        "import tensorflow as tf; tf.reduce_sum([1.0], foo=2)",
        r"does not have: foo; it takes input_tensor, axis, keepdims",
    ),
    ("import tensorflow as tf; tf.square(1.0, x=2.0)", "multiple values for argument 'x'"),
]


PREFIXES = [
    ("keras.nope", "No module named 'keras.nope': neither Keras 3"),
    ("tensorflow.keras.nope", "No module named 'tensorflow.keras.nope': neither Keras 3"),
    ("tensorflow.python.keras.nope.more", "No module named 'tensorflow.python.keras.nope.more': neither Keras 3"),
    (
        "tensorflow.keras.utils.np_utils",
        "No module named 'tensorflow.keras.utils.np_utils': it belongs to Keras 2; import to",
    ),
    (
        "tensorflow.contrib",
        "No module named 'tensorflow.contrib': kerasish's stand-in for TensorFlow does not have it; it",
    ),
    ("tensorflow.math.lgamma", "No module named 'tensorflow.math.lgamma': kerasish's stand-in for TensorFlow does not"),
]


@pytest.mark.parametrize("name, text", PREFIXES)
def test_a_missing_module_is_called_as_it_was_asked_for(name, text):
    from kerasish.compat import advice

    assert advice.missing_module(name).startswith(text)


@pytest.fixture
def installed():
    import kerasish

    kerasish.install_as_keras()
    yield
    kerasish.compat.uninstall_as_keras()


QUESTIONS = [
    "import importlib.util; assert importlib.util.find_spec('keras.applications') is None",
    "import importlib.util; assert importlib.util.find_spec('tensorflow.lite') is None",
    "import tensorflow as tf; assert not hasattr(tf, 'lookup') and getattr(tf.math, 'lgamma', 5) == 5",
    "import tensorflow as tf; assert tf.config.experimental.list_physical_devices('CPU')",
    "import keras; assert keras.version() == keras.__version__ == keras.KERAS_VERSION != '0.1.0'",
]


@pytest.mark.parametrize("code", QUESTIONS)
def test_questions_are_answered_without_an_error(code, installed):
    exec(code, {})


@pytest.mark.parametrize("code, message", MISSING, ids=[code for code, _ in MISSING])
def test_missing_names(code, message, installed):
    with pytest.raises((ImportError, AttributeError, TypeError), match=message):
        exec(code, {})


def test_install_and_uninstall():
    import kerasish

    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("keras", "tensorflow")}
    finders = list(sys.meta_path)
    kerasish.install_as_keras()
    kerasish.install_as_keras()
    import keras

    assert keras is kerasish and len(sys.meta_path) == len(finders) + 1
    kerasish.compat.uninstall_as_keras()
    kerasish.compat.uninstall_as_keras()
    assert sys.meta_path == finders
    after = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("keras", "tensorflow")}
    assert after == before


SUMMARY = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ conv2d (Conv2D)                 │ (None, 196, 196, 10)   │           760 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 760 (2.97 KB)
 Trainable params: 760 (2.97 KB)
 Non-trainable params: 0 (0.00 B)
"""


def test_summary_is_that_of_keras(script):
    """Recorded from Keras 3.15 on TensorFlow 2.21."""
    path = script(
        """
        from tensorflow.python import keras
        from keras.models import Sequential
        from keras.layers import Conv2D
        Sequential([Conv2D(input_shape=(200, 200, 3), filters=10, kernel_size=5, strides=1)]).summary()
        """
    )
    result = python("-m", "kerasish", path, PYTHONIOENCODING="utf-8")
    assert [line.rstrip() for line in result.stdout.splitlines()] == SUMMARY.splitlines()
