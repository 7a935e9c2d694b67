import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

from kerasish import device
from kerasish.__main__ import main
from kerasish.commands import demo, doctor
from kerasish.device import cuda, extras

ROOT = str(pathlib.Path(__file__).parents[2])


def kerasish(*arguments, **environment):
    env = {**os.environ, "PYTHONPATH": ROOT, **environment}
    return subprocess.run(
        [sys.executable, "-m", "kerasish", *arguments], capture_output=True, text=True, env=env, timeout=300
    )


def test_demo_runs(capsys):
    assert main(["demo", "--epochs", "1", "--examples", "320"]) == 1
    text = capsys.readouterr().out
    assert 'Model: "fashion"' in text and "Total params: 34,826" in text
    assert re.search(r"10/10 .* - accuracy: .* - val_loss: ", text)
    assert re.search(r"Test accuracy: \d+\.\d% after \d+ s\nCompiled: ", text)
    assert text.endswith("The goal of 85% is not reached (exit code 1): train longer, with --epochs 10 or more\n")
    assert "\r" not in text and "\b" not in text and "▀" not in text


@pytest.mark.slow
def test_demo_reaches_its_goal():
    result = kerasish("demo")
    assert result.returncode == 0, result.stderr
    assert float(re.search(r"Test accuracy: (\d+\.\d)%", result.stdout)[1]) >= 85


def test_pictures_as_blocks():
    pictures = np.zeros((2, 4, 3), "uint8")
    pictures[1, 1] = 255
    lines = list(demo._side_by_side(pictures))
    assert len(lines) == 2 and [line.count("▀") for line in lines] == [6, 6]
    assert "38;5;232;48;5;255m▀" in lines[0] and "255" not in lines[1]


class Guesses:
    """A model that is sure that everything is a sneaker."""

    def predict(self, x, verbose):
        return np.eye(10)[np.full(len(x), 7)]


def test_pictures_show_what_they_are(capsys):
    demo._show_predictions(Guesses(), np.zeros((2, 28, 28), "uint8"), [7, 9])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == ["Sneaker", "100%", "Sneaker", "100%"]
    assert lines[-1] == f"{'right: Sneaker':30}wrong: Ankle boot"


def test_doctor_tells_of_another_copy(tmp_path, monkeypatch):
    assert "other copy" not in doctor.report() or ROOT not in doctor.report()["other copy"]
    (tmp_path / "kerasish").mkdir()
    (tmp_path / "kerasish" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert os.path.realpath(tmp_path / "kerasish") in doctor.report()["other copy"]


def test_summary_of_a_saved_model(tmp_path):
    import kerasish as keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="only")], name="saved")
    model.save(tmp_path / "model.keras")
    (tmp_path / "model.json").write_text(model.to_json())
    for name in ("model.keras", "model.json"):
        result = kerasish("summary", str(tmp_path / name))
        assert result.returncode == 0, result.stderr
        assert 'Model: "saved"' in result.stdout and "only (Dense)" in result.stdout and "15" in result.stdout
    (tmp_path / "bad.keras").write_text("no model")
    result = kerasish("summary", str(tmp_path / "bad.keras"))
    assert result.returncode == 1 and "bad.keras cannot be loaded" in result.stderr and "Traceback" not in result.stderr


def test_summary_of_a_model_with_a_class_of_the_users(tmp_path):
    import kerasish as keras

    class Mine(keras.layers.Dense):
        pass

    keras.Sequential([keras.Input((4,)), Mine(3)]).save(tmp_path / "mine.keras")
    result = kerasish("summary", str(tmp_path / "mine.keras"))
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "mine.keras cannot be loaded" in result.stderr and "class 'Mine'" in result.stderr
    assert "load the model in a script that imports the class" in result.stderr


@pytest.mark.slow
def test_warmup(tmp_path):
    """What it compiles is enough for the demo, and is found again."""
    cache = tmp_path / "cache"
    first = kerasish("warmup", KERASISH_CACHE_DIR=str(cache))
    assert first.returncode == 0, first.stderr
    assert re.match(r"compiled \d+ kernels in [\d.]+ s, kept in ", first.stdout) and any(cache.iterdir())
    assert kerasish("warmup", KERASISH_CACHE_DIR=str(cache)).stdout.startswith("nothing to compile, kept in")
    demo = kerasish("demo", "--epochs", "1", "--examples", "160", KERASISH_CACHE_DIR=str(cache))
    assert "Compiled: nothing, all came from the cache" in demo.stdout


def test_warmup_of_a_model(tmp_path):
    import kerasish as keras

    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save(tmp_path / "model.keras")
    result = kerasish("warmup", str(tmp_path / "model.keras"))
    assert result.returncode == 0 and "kept in" in result.stdout, result.stderr
    assert kerasish("warmup", "nowhere.keras").returncode == 2


CARDS = [
    (None, None, "cpu:0", "cpu; no NVIDIA driver"),
    (
        "T4, 15 GiB",
        f"CuPy is missing: {extras.install('cuda')}",
        "cpu:0",
        "cpu; T4, 15 GiB is not used: CuPy is missing",
    ),
    ("T4, 15 GiB", "the driver is too old", "cpu:0", "cpu; T4, 15 GiB is not used: the driver is too old"),
    ("T4, 15 GiB", "", "cpu:0", "cpu; T4, 15 GiB is not used: KERASISH_DEVICE=cpu"),
    ("T4, 15 GiB", "", "gpu:0", "gpu:0: T4, 15 GiB, convolutions in float32"),
]


@pytest.mark.parametrize(("card", "reason", "default", "text"), CARDS)
def test_doctor_says_which_device_is_used_and_why(monkeypatch, card, reason, default, text):
    monkeypatch.setattr(doctor, "_graphics_card", lambda: card)
    monkeypatch.setattr(device, "default", lambda: default)
    monkeypatch.setenv("KERASISH_DEVICE", "cpu")
    monkeypatch.setattr(cuda, "capability", lambda: (7, 5))
    if reason is not None:
        monkeypatch.setattr(cuda, "missing", lambda: reason or None)
    found = doctor.report()
    assert found["device"].startswith(text)
    assert (found["next step"] == extras.install("cuda")) == ("[cuda]" in (reason or ""))


def test_doctor_says_which_engine_a_card_has(monkeypatch):
    monkeypatch.setattr(doctor, "_graphics_card", lambda: "T4")
    monkeypatch.setattr(device, "default", lambda: "gpu:0")
    monkeypatch.setattr(cuda, "capability", lambda: (7, 5))
    monkeypatch.setattr(cuda, "missing", lambda: None)
    monkeypatch.setenv("KERASISH_ENGINE", "numba")
    assert doctor.report()["device"].endswith("kernels by plain numba-cuda: KERASISH_ENGINE is set")
    monkeypatch.setenv("KERASISH_ENGINE", "pool")
    assert doctor.report()["device"].endswith("convolutions in float32")


def test_the_line_that_installs_an_extra(tmp_path, monkeypatch):
    """It must work without a package index that has kerasish: from the clone, or from where it was installed."""
    assert extras.install("cuda") == f"pip install '{ROOT}[cuda]'"
    monkeypatch.setattr(extras, "__file__", str(tmp_path / "kerasish" / "device" / "extras.py"))
    monkeypatch.setattr(extras, "origin", lambda name: pathlib.Path(ROOT))
    assert extras.install("cuda12") == f"pip install '{ROOT}[cuda12]'"
    monkeypatch.setattr(extras, "origin", lambda name: None)
    assert extras.install("cuda") == "pip install '.[cuda]' in the clone of kerasish"


def test_doctor(tmp_path):
    text = kerasish("doctor", KERASISH_CACHE_DIR=str(tmp_path)).stdout
    assert re.search(r"^kernel cache +.*\(0 kernels\)$", text, re.M)
    assert re.search(r"^next step +(python -m kerasish warmup|pip install .*)$", text, re.M)


SCRIPT = """
import sys
import numpy as np
import keras
from kerasish.device.jit import njit, prange

@njit(parallel=True)
def doubled(tasks, y, x):
    for task in prange(tasks):
        for i in range(x.shape[1]):
            y[task, i] = 2 * x[task, i]

op = keras.ops.numba_op(doubled, lambda gy, x: 2 * gy, output_spec=lambda x: x.shape, name="twice")
x = keras.Input((6, 6, 2))
y = keras.layers.Conv2D(4, 3, activation="relu")(x)
y = keras.layers.Dense(3, activation="softmax")(op(keras.layers.Flatten()(y)))
model = keras.Model(x, y)
model.compile("sgd", "categorical_crossentropy")
model.fit(np.ones((32, 6, 6, 2)), np.eye(3)[np.arange(32) % 3], batch_size=8, verbose=0)
print("arguments", sys.argv[1:])
sys.exit(3)
"""


def test_doctor_shows_the_kernels_of_a_script(tmp_path):
    """Each with its number of calls, and the way to it; the script's arguments, output and exit code are its own."""
    (tmp_path / "script.py").write_text(SCRIPT)
    found = kerasish("doctor", "--kernels", str(tmp_path / "script.py"), "--its", "own")
    assert found.returncode == 3, found.stderr
    assert "arguments ['--its', 'own']" in found.stdout
    rows = {line.split()[0]: line for line in found.stdout.splitlines() if " pool " in line or " NumPy " in line}
    assert re.search(r"pool +\d+ +4 .*numba_op twice", rows["__main__.doubled"])
    assert re.search(r"pool +\d+ +8 .*Softmax -> cpu.softmax.softmax", rows["cpu.softmax._softmax"])
    assert re.search(r"pool +\d+ .*Convolve -> cpu.conv.conv2d", rows["cpu.product._products"])
    assert re.search(r"pool +\d+ .*Convolve's gradient -> ", rows["cpu.outer._outer_products"])
    assert re.search(r"\d+ kernels, \d+ calls, [\d.]+ s of [\d.]+ s", found.stdout)


def test_doctor_leaves_nothing_behind():
    """What it replaces while it looks is as it was, so that nothing is slower when it does not."""
    import kerasish as keras
    from kerasish import kernels
    from kerasish.commands import kernel_report
    from kerasish.core import autodiff
    from kerasish.core.op import Op
    from kerasish.device import cuda_jit, parallel

    places = [
        (kernels, "find"),
        (kernels, "replays_of"),
        (Op, "call"),
        (autodiff, "record"),
        (parallel.Kernel, "_run"),
        (cuda_jit, "launch"),
    ]
    before, notes = [getattr(*place) for place in places], kernel_report.Notes()
    with pytest.raises(KeyError), kernel_report.watching(notes):
        keras.ops.softmax(np.ones((40, 50), "float32"))
        raise KeyError
    assert [getattr(*place) for place in places] == before
    (kernel, engine), row = next(iter(notes.rows.items()))
    assert (kernel, engine, row.calls) == ("cpu.softmax._softmax", parallel.engine(), 1)
    keras.ops.softmax(np.ones((40, 50), "float32"))
    assert row.calls == 1 and not hasattr(kernels._cpu.softmax, "__wrapped__")


def test_doctor_wants_a_script():
    found = kerasish("doctor", "--kernels")
    assert found.returncode == 2 and "which script?" in found.stderr


def test_what_compiling_took_stands_apart():
    """Of each variety of a kernel; where there are no later calls the first ones count."""
    from kerasish.commands.kernel_report import Row

    row = Row()
    for seconds, threads, way, variety in [(9, 1, "a", "f4"), (1, 2, "b", "f4"), (7, 1, "b", "f8"), (3, 1, "b", "f4")]:
        row.note(seconds, threads, way, variety)
    assert (row.calls, row.first, row.each, row.total, row.threads) == (4, 16, 2, 8, 2)
    assert row.ways == {"a": 1, "b": 3}
    row = Row()
    row.note(5, 1, "", None)
    assert (row.each, row.total) == (5, 5)
