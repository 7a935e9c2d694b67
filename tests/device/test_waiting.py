"""What a terminal and a log are told while kernels compile; a pseudo-terminal and a pipe stand for them."""

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
import types

import pytest

import kerasish
from kerasish.device import waiting

from .test_processes import ROOT

PACKAGE = os.path.dirname(kerasish.__file__)
LINE = re.compile(r"kerasish: compiling kernels, (\d+) of (\d+), \d+ s")
pty = pytest.importorskip("pty")


def environment(cache, **more):
    kept = {k: v for k, v in os.environ.items() if k != "KERASISH_QUIET"}
    return {**kept, "KERASISH_CACHE_DIR": str(cache), "KERASISH_COMPILE_PROCESSES": "0", **more}


def on_a_terminal(what, cache, **more):
    """What a program writes to a terminal."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "tests.device.waits", what]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(cache, **more), stdout=its, stderr=its, stdin=its)
    os.close(its)
    found = b""
    with contextlib.suppress(OSError):  # what Linux says when the other end is closed
        while part := os.read(ours, 4096):
            found += part
    os.close(ours)
    assert process.wait(timeout=120) == 0, found
    return found.decode()


def in_a_log(what, cache, **more):
    """What a program writes to stderr where that is a pipe."""
    command = [sys.executable, "-m", "tests.device.waits", what]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(cache, **more), capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, ""), done
    return done.stderr


def check_terminal(text, cache):
    first, _, rest = text.partition("\n")
    assert first.startswith(f"kerasish in {PACKAGE}: compiling kernels for this machine, once; kept in {cache}")
    counts = [tuple(map(int, found)) for found in LINE.findall(rest)]
    assert counts and all(count < total for count, total in counts) and counts == sorted(counts)
    assert "\n" not in rest and re.fullmatch(r".*\r +\r", rest, re.S), "the line is still there"


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_terminal_shows_a_line_that_goes(processes, tmp_path):
    check_terminal(on_a_terminal("op", tmp_path, KERASISH_COMPILE_PROCESSES=processes), tmp_path)
    assert on_a_terminal("op", tmp_path) == "", "all is in the cache"


def test_a_log_gets_one_line(tmp_path):
    text = in_a_log("op", tmp_path)
    assert text.startswith(f"kerasish in {PACKAGE}: compiling kernels for this machine, once; kept in {tmp_path}")
    assert text.count("\n") == 1 and "\r" not in text
    assert in_a_log("op", tmp_path) == "", "all is in the cache"


def test_quiet(tmp_path):
    assert in_a_log("op", tmp_path, KERASISH_QUIET="1") == ""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["call", "evaluate", "predict", "fit"])
def test_whatever_waits_says_so_without_a_progress_bar(what, tmp_path):
    check_terminal(on_a_terminal(what, tmp_path, KERASISH_COMPILE_PROCESSES="2"), tmp_path)


class Terminal(list):
    """A stderr that is a terminal, as a list of what was written."""

    write = list.append

    def isatty(self):
        return True

    def flush(self):
        pass

    def fileno(self):
        raise OSError


@pytest.fixture
def terminal(monkeypatch):
    found = Terminal()
    monkeypatch.setattr(waiting, "sys", types.SimpleNamespace(stderr=found))
    monkeypatch.delenv("KERASISH_QUIET", raising=False)
    monkeypatch.setattr(waiting, "_report", {"count": 3, "seconds": 0.0})
    monkeypatch.setattr(waiting, "_expected", {"a", "b"})
    monkeypatch.setattr(waiting.cache, "cache_folder", lambda key: "folder")
    monkeypatch.setattr(waiting.cache, "kernels", lambda folder: ["one"])
    return found


def test_a_short_wait_shows_nothing(terminal):
    with waiting.waiting("key"):
        pass
    assert terminal == [] and waiting.report()[1] > 0


def test_short_waits_add_up(terminal, monkeypatch):
    waiting._report["seconds"] = 2.0
    with waiting.waiting("key"):
        time.sleep(0.05)
    assert terminal[0] == "\rkerasish: compiling kernels, 3 of 5, 2 s" and terminal[-1].isspace()


def test_an_interrupted_wait_leaves_nothing(terminal):
    waiting._report["seconds"] = 2.0
    with pytest.raises(KeyboardInterrupt), waiting.waiting("key"):
        time.sleep(0.05)
        raise KeyboardInterrupt
    assert terminal[-1].isspace() and not [t for t in threading.enumerate() if t.name == "kerasish-waiting"]


def test_two_threads_share_a_line(terminal):
    waiting._report["seconds"] = 2.0
    second = waiting.waiting("key")
    with waiting.waiting("key"):
        thread = threading.Thread(target=second.__enter__)
        thread.start()
        thread.join()
        assert len([t for t in threading.enumerate() if t.name == "kerasish-waiting"]) == 1
    assert waiting._state["line"] is not None, "the second wait goes on"
    second.__exit__(None, None, None)
    assert waiting._state["line"] is None and terminal[-1].isspace()


def test_without_a_stderr(monkeypatch):
    monkeypatch.setattr(waiting, "sys", types.SimpleNamespace(stderr=None))
    monkeypatch.delenv("KERASISH_QUIET", raising=False)
    with waiting.waiting("key"):
        pass
