import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
LAST_LINE = {
    "custom_layer.py": "Same predictions: True",
    "custom_training_loop.py": "Test accuracy: 0.",
    "mnist_convnet.py": "Test accuracy: 0.",
    "own_kernel.py": "Test accuracy: 0.",
    "small_resnet.py": "Test accuracy: 0.",
    "two_inputs.py": "Answer accuracy: 0.",
    "unmodified_tf_keras.py": "Epoch 1, Loss: ",
}


def run(*arguments):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "KERASISH_QUIET": "1"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=env, cwd=ROOT, timeout=300)


def test_every_example_is_tested():
    assert EXAMPLES == sorted(LAST_LINE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    runner = ("-m", "kerasish") if name.startswith("unmodified") else ()
    result = run(*runner, f"examples/{name}", "--quick")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1].startswith(LAST_LINE[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_short(name):
    assert len((ROOT / "examples" / name).read_text().splitlines()) < 80
