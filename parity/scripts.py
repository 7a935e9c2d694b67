"""What a script prints under real Keras and under `python -m kerasish`."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys

from parity.libraries import has_twin, on_card


def outputs(path: str, *args: str) -> tuple[str, str]:
    """Standard output of the script under real Keras and under kerasish."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUTF8": "1", "COLUMNS": "80"}
    environment.pop("KERAS_BACKEND", None)
    hidden = {**environment, "CUDA_VISIBLE_DEVICES": "-1", "KERASISH_DEVICE": "cpu"}
    with_kerasish = [sys.executable, "-m", "kerasish", path, *args]
    theirs = with_kerasish if has_twin() else [sys.executable, path, *args]
    found = []
    for command, environment in ((theirs, hidden), (with_kerasish, environment if on_card() else hidden)):
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=600)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        found.append(done.stdout)
    return found[0], found[1]


def compare_script(path: str) -> int:
    """Print how the two outputs differ; 0 if they do not."""
    want, got = outputs(path)
    lines = list(difflib.unified_diff(want.splitlines(), got.splitlines(), "Keras", "kerasish", lineterm=""))
    sys.stdout.write("\n".join(lines) + "\n" if lines else "the same output\n")
    return 1 if lines else 0
