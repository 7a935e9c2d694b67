import io
import re
import sys

import pytest

from kerasish.utils import io_utils
from kerasish.utils.progbar import Progbar

ESCAPE = re.compile(r"\x1b\[\d+m")


class Screen(io.TextIOWrapper):
    """A stdout of a given encoding that is a terminal or not."""

    def __init__(self, tty, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self.tty = tty

    def isatty(self):
        return self.tty

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def time(self):
            return self.now

    fake = Clock()
    monkeypatch.setattr("kerasish.utils.progbar.time", fake)
    return fake


def screen(monkeypatch, tty, encoding="utf-8", columns=200):
    out = Screen(tty, encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.delenv("PYCHARM_HOSTED", raising=False)
    return out


def run(clock, target=4, steps=4, seconds=1.0, values=(("loss", 0.5),), **kwargs):
    bar = Progbar(target, **kwargs)
    for i in range(steps):
        clock.now += seconds
        bar.update(i + 1, values=list(values))
    return bar


def test_terminal_line_is_that_of_keras(monkeypatch, clock):
    """Recorded from Keras 3.15: `keras.utils.Progbar(4)` at steps 1 and 4, without its backspaces."""
    out = screen(monkeypatch, tty=True)
    run(clock)
    first, *_, last = out.text().strip("\r\n").split("\r")
    bar = "\x1b[32m━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━━\x1b[0m"
    assert first.rstrip() == f"\x1b[1m1/4\x1b[0m {bar} \x1b[1m3s\x1b[0m 1s/step - loss: 0.5000"
    bar = "\x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m"
    assert last.rstrip() == f"\x1b[1m4/4\x1b[0m {bar} \x1b[1m4s\x1b[0m 1s/step - loss: 0.5000"


def test_log_file_gets_one_plain_line(monkeypatch, clock):
    out = screen(monkeypatch, tty=False)
    run(clock)
    assert out.text() == "4/4 ━━━━━━━━━━━━━━━━━━━━ 4s 1s/step - loss: 0.5000\n"


def test_ascii(monkeypatch, clock):
    out = screen(monkeypatch, tty=True, encoding="ascii")
    run(clock, steps=2)
    assert ESCAPE.sub("", out.text()).split("\r")[-1] == "2/4 ==========.......... 2s 1s/step - loss: 0.5000"


def test_moving_line_fits_the_terminal(monkeypatch, clock):
    out = screen(monkeypatch, tty=True, columns=50)
    run(clock, values=[(f"metric_number_{i}", 0.25) for i in range(9)])
    *moving, last = ESCAPE.sub("", out.text()).strip("\r\n").split("\r")
    assert moving and max(map(len, moving)) < 50
    assert last.count("metric_number") == 9


def test_redraws_are_rare(monkeypatch, clock):
    out = screen(monkeypatch, tty=True)
    run(clock, target=1000, steps=1000, seconds=0.001)
    assert out.text().count("\r") <= 22


def test_a_shorter_line_wipes_the_longer_one(monkeypatch, clock):
    out = screen(monkeypatch, tty=True)
    bar = Progbar(3)
    clock.now += 5000
    bar.update(1)
    clock.now += 1
    bar.update(2)
    first, second = ESCAPE.sub("", out.text()).strip("\r").split("\r")
    assert len(second) == len(first)


@pytest.mark.parametrize(
    "kwargs, expected",
    [
        ({}, "a: 2.0000 - b: 2.0000"),
        ({"stateful_metrics": ["a"]}, "a: 3.0000 - b: 2.0000"),
        ({"stateless_metrics": ["a"]}, "a: 2.0000 - b: 3.0000"),
    ],
)
def test_averages(monkeypatch, clock, kwargs, expected):
    out = screen(monkeypatch, tty=True)
    bar = Progbar(9, **kwargs)
    for step, value in enumerate((1.0, 2.0, 3.0), 1):
        clock.now += 1
        bar.update(step, values=[("a", value), ("b", value)])
    assert out.text().endswith(expected)


@pytest.mark.parametrize("value, text", [(0.0005, "5.0000e-04"), (0.5, "0.5000"), (-2, "-2.0000"), (0, "0.0000e+00")])
def test_number_format(monkeypatch, clock, value, text):
    out = screen(monkeypatch, tty=False)
    run(clock, values=[("loss", value)])
    assert out.text().endswith(f"loss: {text}\n")


@pytest.mark.parametrize(
    "seconds, remaining, step",
    [(2.0, "6s", "2s/step"), (0.25, "0s", "250ms/step"), (100, "5:00", "100s/step"), (4000, "3:20:00", "4000s/step")],
)
def test_time_format(monkeypatch, clock, seconds, remaining, step):
    out = screen(monkeypatch, tty=True)
    run(clock, steps=1, seconds=seconds, values=())
    assert ESCAPE.sub("", out.text()).endswith(f"{remaining} {step}")


def test_first_step_does_not_count(monkeypatch, clock):
    out = screen(monkeypatch, tty=False)
    bar = Progbar(3)
    for seconds, step in ((10, 1), (1, 2), (1, 3)):
        clock.now += seconds
        bar.update(step)
    assert out.text().rstrip().endswith("12s 1s/step")


def test_verbose_2_and_unknown_target(monkeypatch, clock):
    out = screen(monkeypatch, tty=True)
    run(clock, target=12, steps=12, verbose=2)
    assert out.text() == "12/12 - 12s - 1s/step - loss: 0.5000\n"
    out = screen(monkeypatch, tty=False)
    bar = run(clock, target=None, steps=2)
    assert out.text() == ""
    bar.update(2, [("loss", 0.25)], finalize=True)
    assert out.text() == "      2/Unknown 2s 1s/step - loss: 0.2500\n"


def test_both_kinds_of_names_are_refused():
    with pytest.raises(ValueError, match="Only one of `stateful_metrics` or `stateless_metrics`"):
        Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])


def test_logging_instead_of_stdout(monkeypatch, clock, caplog):
    out = screen(monkeypatch, tty=False)
    io_utils.disable_interactive_logging()
    try:
        assert not io_utils.is_interactive_logging_enabled()
        with caplog.at_level("INFO", logger="kerasish"):
            run(clock)
    finally:
        io_utils.enable_interactive_logging()
    assert out.text() == ""
    assert "loss: 0.5000" in caplog.text


def test_message_that_the_encoding_lacks(monkeypatch):
    out = screen(monkeypatch, tty=False, encoding="ascii")
    io_utils.print_msg("a ━ b")
    assert out.text() == "a ? b\n"


@pytest.mark.parametrize("columns", [30, 50, 80, 100, 200])
def test_the_finished_line_is_broken_between_metrics(columns, monkeypatch, clock):
    out = screen(monkeypatch, tty=True, columns=columns)
    bar = Progbar(target=188)
    values = [(name, 0.5) for name in ("accuracy", "loss", "val_accuracy", "val_loss")]
    for step in (1, 100, 188):
        clock.now += 1
        bar.update(step, values=values, finalize=step == 188)
    last = ESCAPE.sub("", out.text()).rpartition("\r")[2]
    lines = [line.rstrip() for line in last.splitlines()]
    metrics = [f"{name}: 0.5000" for name, _ in values]
    assert " ".join(lines).replace("  ", " ").replace("  ", " ").split(" - ")[1:] == metrics
    assert all(len(line) <= max(columns, 48) for line in lines)
    assert (len(lines) == 1) == (columns >= 113), "broken only where it must be"
