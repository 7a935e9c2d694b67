"""Runs a user's script as Python does, with `keras` and `tensorflow.keras` meaning this library."""

import builtins
import os
import runpy
import sys
import types
from collections.abc import Callable, Sequence

from kerasish.compat.finder import install_as_keras

_OWN_FILES = (os.path.join(os.path.dirname(__file__), ""), "<frozen runpy>", "<frozen importlib")
_INTERRUPTED = 130


def run_file(path: str, arguments: Sequence[str] = ()) -> int:
    """Runs a script as `python path arguments...` does; the result is the exit code."""
    with open(path, "rb") as file:
        source = file.read()
    directory = os.path.dirname(os.path.realpath(path))
    return _run_source(source, path, [path, *arguments], directory)


def run_code(source: str, arguments: Sequence[str] = ()) -> int:
    """Runs source text as `python -c source arguments...` does; the result is the exit code."""
    return _run_source(source, "<string>", ["-c", *arguments], "")


def run_stdin(arguments: Sequence[str] = ()) -> int:
    """Runs what comes from standard input, as `python -` does; the result is the exit code."""
    return _run_source(sys.stdin.read(), "<stdin>", ["-", *arguments], "")


def run_module(name: str, arguments: Sequence[str] = ()) -> int:
    """Runs a module as `python -m name arguments...` does; the result is the exit code."""
    _prepare(["-m", *arguments], os.getcwd())
    return _guarded(lambda: runpy.run_module(name, run_name="__main__", alter_sys=True))


def _run_source(source, name, argv, directory):
    main = types.ModuleType("__main__")
    main.__builtins__ = builtins
    if not name.startswith("<"):
        main.__file__ = name
    _prepare(argv, directory)
    sys.modules["__main__"] = main
    return _guarded(lambda: exec(compile(source, name, "exec", dont_inherit=True), vars(main)))


def _prepare(argv, directory):
    install_as_keras()
    sys.argv = list(argv)
    if not sys.flags.safe_path:
        sys.path[0] = directory


def _guarded(run: Callable[[], object]) -> int:
    """Runs; an exception is shown without the runner's own frames."""
    try:
        run()
    except SystemExit:
        raise
    except BaseException as error:
        error = error.with_traceback(_users_frames(error.__traceback__))
        sys.excepthook(type(error), error, error.__traceback__)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _users_frames(trace):
    """The traceback without frames of the runner, the import hook and Python's import machinery."""
    entries = []
    while trace is not None:
        if not _is_own(trace.tb_frame):
            entries.append(trace)
        trace = trace.tb_next
    result = None
    for entry in reversed(entries):
        result = types.TracebackType(result, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return result


def _is_own(frame):
    return frame.f_code.co_filename.startswith(_OWN_FILES)
