"""The progress bar of fit, evaluate, predict and downloads."""

import math
import shutil
import time
from collections.abc import Iterable, Sequence

import numpy as np

from kerasish.utils import io_utils

_NOTEBOOK_INTERVAL = 0.25
_BOLD, _GREEN, _GREY, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """Displays a progress bar, redrawn in place on a terminal and written once into a file.

    On a terminal or in a notebook the line looks as in Keras and is cut to the terminal's width while it
    moves. Where stdout cannot be redrawn (a log file, a pipe) only the finished line is written, without
    colours or control characters. Encodings without box characters get `====....`.

    Args:
        target: Total number of steps, `None` if unknown.
        width: Width of the bar in characters.
        verbose: 0 (silent), 1 (a bar), 2 (one line when finished).
        interval: Least time between two redraws, in seconds.
        stateful_metrics: Names of metrics to show as they come. All others are averaged over the steps.
        stateless_metrics: Names of metrics to average over the steps. All others are shown as they come.
            Only one of `stateful_metrics` and `stateless_metrics` may be given.
        unit_name: What a step is called ("step", "sample").

    Example:

    >>> bar = Progbar(target=3)
    >>> for step in range(3):
    ...     bar.update(step + 1, values=[("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be provided: the first names the metrics "
                "that are shown as they come, the second names those that are averaged."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.unit_name = unit_name
        self.interval = max(interval, _NOTEBOOK_INTERVAL) if io_utils.in_notebook() else interval
        self.stateful_metrics = None if stateless_metrics is not None else set(stateful_metrics or ())
        self.stateless_metrics = set(stateless_metrics) if stateless_metrics is not None else None
        self._redraws = io_utils.can_redraw()
        self._values: dict[str, tuple[object, int]] = {}
        self._seen_so_far = 0
        self._start = time.time()
        self._last_update = 0.0
        self._after_first_step: float | None = None
        self._drawn_width = 0

    def update(self, current: int, values: Sequence[tuple] | None = None, finalize: bool | None = None) -> None:
        """Moves the bar to step `current`.

        Args:
            current: Number of steps done.
            values: Pairs `(name, value of the last step)`.
            finalize: Whether this is the last update. By default, whether `current` has reached `target`.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._record(name, value, current, finalize)
        self._seen_so_far = current
        now = time.time()
        step_time = self._step_time(current, now)
        if self.verbose == 1:
            if self._is_due(now, finalize):
                self._draw(current, now, step_time, finalize)
                self._last_update = now
        elif self.verbose == 2 and finalize and self.target:
            io_utils.print_msg(self._summary_line(current, now, step_time))

    def add(self, n: int, values: Sequence[tuple] | None = None) -> None:
        """Moves the bar on by `n` steps."""
        self.update(self._seen_so_far + n, values)

    def _record(self, name, value, current, finalize):
        if self.stateless_metrics is None:
            averaged = name not in self.stateful_metrics
        else:
            averaged = name in self.stateless_metrics
        if finalize or not averaged:
            self._values[name] = (value, 1)
            return
        steps = max(current - self._seen_so_far, 1)
        total, count = self._values.get(name, (0.0, 0))
        self._values[name] = (total + value * steps, count + steps)

    def _is_due(self, now, finalize):
        return finalize or (self._redraws and now - self._last_update >= self.interval)

    def _step_time(self, current, now):
        """Seconds per step, without the first step (it compiles) once there are others."""
        if not current:
            return 0.0
        if self._after_first_step is not None and current > 1:
            return (now - self._after_first_step) / (current - 1)
        if current == 1:
            self._after_first_step = now
        return (now - self._start) / current

    def _draw(self, current, now, step_time, finalize):
        elapsed = now - self._start
        if self.target and not finalize:
            clock = _format_remaining(step_time * (self.target - current))
        else:
            clock = f"{elapsed:.0f}s"
        tail = f" {_format_step_time(step_time, self.unit_name)}{self._metrics()}"
        if not self._redraws:
            io_utils.print_msg(f"{self._head(current)} {clock}{tail}")
            return
        plain_length = len(self._head(current)) + 1 + len(clock)
        columns = shutil.get_terminal_size().columns
        if not finalize:
            tail = tail[: max(columns - 1 - plain_length, 0)]
        elif not io_utils.in_notebook():
            tail = _folded(tail, plain_length, columns)
        tail, *more = tail.split("\n", 1)
        length = plain_length + len(tail)
        padding = " " * max(self._drawn_width - length, 0)
        line = f"\r{self._head(current, coloured=True)} {_BOLD}{clock}{_PLAIN}{tail}{padding}"
        io_utils.print_msg("\n".join([line, *more]), line_break=finalize)
        self._drawn_width = length

    def _head(self, current, coloured=False):
        if not self.target:
            return f"{current:7d}/Unknown"
        count = _format_count(current, self.target)
        done = int(self.width * current / self.target)
        full, empty = ("━", "━") if io_utils.can_show("━") else ("=", ".")
        left, right = full * done, empty * (self.width - done)
        if not coloured:
            return f"{count} {left}{right}"
        left = f"{_GREEN}{left}{_PLAIN}" if left else ""
        return f"{_BOLD}{count}{_PLAIN} {left}{_GREY}{right}{_PLAIN}"

    def _summary_line(self, current, now, step_time):
        count = _format_count(current, self.target)
        seconds = f"{now - self._start:.0f}s"
        return f"{count} - {seconds} - {_format_step_time(step_time, self.unit_name)}{self._metrics()}"

    def _metrics(self):
        return "".join(f" - {name}: {_format_average(*entry)}" for name, entry in self._values.items())


def _folded(tail, start, columns):
    """The tail of a finished line in as many lines as the terminal needs, broken between metrics, not in words."""
    lines, length = [""], start
    for part in tail.replace(" - ", "\0 - ").split("\0"):
        if length + len(part) > columns and lines[-1]:
            lines.append("  ")
            length = 2
        lines[-1] += part
        length += len(part)
    return "\n".join(lines)


def _format_count(current, target):
    return f"{current:{int(math.log10(target)) + 1}d}/{target}"


def _format_average(total, count):
    average = float(np.mean(total)) / max(1, count)
    return f"{average:.4f}" if abs(average) > 1e-3 else f"{average:.4e}"


def _format_remaining(seconds):
    hours, minutes, rest = int(seconds // 3600), int(seconds % 3600 // 60), int(seconds % 60)
    if seconds > 3600:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{int(seconds // 60)}:{rest:02d}" if seconds > 60 else f"{int(seconds)}s"


def _format_step_time(seconds, unit):
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"
