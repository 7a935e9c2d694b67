"""python -m kerasish: runs a script, or one of the commands."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

_COMMANDS = {
    "demo": "train a small convnet on real pictures and show what it learned",
    "doctor": "show versions, processor, threads, cache and device, and what to do next",
    "summary": "print the summary of a saved model",
    "warmup": "compile the kernels now, so that the first training starts at once",
}
_PROG = "python -m kerasish"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the command line; the result is the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    first = argv[0] if argv else "--help"
    if first in ("-h", "--help"):
        print_text(_help())
        return 0
    if first in ("-V", "--version"):
        from kerasish import __version__

        print_text(f"kerasish {__version__}")
        return 0
    if first in _COMMANDS:
        return _run_command(first, argv[1:])
    return _run_script(first, argv[1:])


def print_text(text: str) -> None:
    """Writes a line to stdout, whatever its encoding."""
    from kerasish.utils.io_utils import print_msg

    print_msg(text)


def _help():
    width = max(map(len, _COMMANDS)) + 2
    commands = "\n".join(f"  {name:{width}}{text}" for name, text in _COMMANDS.items())
    return f"""usage: {_PROG} script.py [arguments]
       {_PROG} -m module [arguments]
       {_PROG} -c code [arguments]
       {_PROG} command [options]

Runs a Keras script unmodified: `import keras`, `from tensorflow import keras` and the like mean kerasish.

commands:
{commands}

`{_PROG} command --help` shows a command's options."""


def _run_command(name, arguments):
    module = importlib.import_module(f"kerasish.commands.{name}")
    parser = argparse.ArgumentParser(prog=f"{_PROG} {name}", description=module.__doc__)
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


def _run_script(first, rest):
    from kerasish.compat import runner

    if first in ("-m", "-c"):
        if not rest:
            return _fail(f"argument expected for {first}")
        run = runner.run_module if first == "-m" else runner.run_code
        return run(rest[0], rest[1:])
    if first == "-":
        return runner.run_stdin(rest)
    if first.startswith("-"):
        return _fail(f"unknown option {first}; see {_PROG} --help")
    if os.path.isdir(first):
        return _fail(f"'{first}' is a directory; give a script, such as {os.path.join(first, 'train.py')}")
    if not os.path.exists(first):
        return _fail(f"no file or command named '{first}'; the commands are {', '.join(_COMMANDS)}")
    return runner.run_file(first, rest)


def _fail(text):
    sys.stderr.write(f"{_PROG}: {text}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
