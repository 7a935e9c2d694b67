"""Shows versions, processor, threads, kernel cache and device, and what to do next."""

import argparse
import os
import platform
import shutil
import subprocess
import sys

from kerasish.device.installed import version
from kerasish.utils.io_utils import print_msg

_FEATURES = ("avx512f", "avx2", "fma", "f16c", "neon", "sve")
_PACKAGE = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
_OPTIONAL = {"pillow": "image", "pydot": "plot", "matplotlib": "plot"}


def add_arguments(parser) -> None:
    """What to look at."""
    parser.add_argument(
        "--kernels",
        nargs=argparse.REMAINDER,
        metavar="SCRIPT",
        help="run a script, with the arguments that follow, and show which kernels ran, how often and how long",
    )


def run(arguments) -> int:
    """Prints the report."""
    if arguments.kernels is not None:
        return _kernels(arguments.kernels)
    rows = report()
    width = max(map(len, rows)) + 2
    for name, text in rows.items():
        print_msg(f"{name:{width}}{text}")
    return 0


def _kernels(script):
    if not script:
        sys.stderr.write("python -m kerasish doctor --kernels: which script?\n")
        return 2
    from kerasish.commands import kernel_report

    return kernel_report.run(script)


def report() -> dict[str, str]:
    """What the command prints, by heading."""
    return {
        "kerasish": f"{_version('kerasish')} in {_PACKAGE}",
        **_other_copies(),
        "Python": f"{platform.python_version()} ({sys.executable})",
        "packages": ", ".join(f"{name} {_version(name)}" for name in ("numpy", "numba", "llvmlite", "h5py")),
        "optional": ", ".join(f"{name} {_version(name)}" for name in _OPTIONAL),
        "system": platform.platform(),
        "processor": _processor(),
        "threads": _threads(),
        "engine": _engine(),
        "kernel cache": _cache(),
        "device": _device(),
        "next step": _next_step(),
    }


def _version(package):
    if package == "kerasish":
        from kerasish import __version__

        return __version__
    return version(package) or "not installed"


def _other_copies():
    """Copies that are used elsewhere: from another folder Python finds the installed one first."""
    places = (os.path.realpath(os.path.join(place or os.curdir, "kerasish")) for place in sys.path)
    others = {place for place in places if os.path.isfile(os.path.join(place, "__init__.py"))} - {_PACKAGE}
    return (
        {"other copy": f"{', '.join(sorted(others))}: used from other folders, with kernels of its own"}
        if others
        else {}
    )


def _processor():
    try:
        from llvmlite import binding

        features = binding.get_host_cpu_features()
        known = [name for name in _FEATURES if features.get(name)]
        return f"{binding.get_host_cpu_name()}, {' '.join(known) or 'no vector extensions known'}"
    except (ImportError, RuntimeError) as error:
        return f"{platform.machine()} (features unknown: {error})"


def _threads():
    from kerasish.device import threads

    count, cores = threads.get_num_threads(), os.cpu_count()
    return f"{count} of {cores} processors"


def _engine():
    from kerasish.device import engines

    try:
        return engines.why()
    except ValueError as error:  # the environment names another
        return str(error)


def _cache():
    from kerasish.device import cache, natives

    folder = cache.cache_folder(natives.cache_key())
    if folder is None:
        return "none can be written: kernels are compiled anew in every process; set KERASISH_CACHE_DIR"
    return f"{folder} ({len(cache.kernels(folder))} kernels)"


def _device():
    from kerasish import device
    from kerasish.device import cuda

    card, reason = _graphics_card(), cuda.missing()
    if reason is None and device.default() == "cpu:0":
        reason = f"KERASISH_DEVICE={os.environ.get('KERASISH_DEVICE')}"
    if reason is None:
        plain = os.environ.get("KERASISH_ENGINE") == "numba"
        engine = ", kernels by plain numba-cuda: KERASISH_ENGINE is set" if plain else ""
        return f"{device.default()}: {card or 'an NVIDIA card'}, convolutions in {cuda.arithmetic()}{engine}"
    return f"cpu; {card} is not used: {reason}" if card else f"cpu; {reason}"


def _graphics_card():
    """Name, memory and driver of the first card, as nvidia-smi tells them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    return lines[0] if lines else None


def _next_step():
    from kerasish.device import cache, cuda, extras, natives

    if _graphics_card() and extras.install("cuda") in (cuda.missing() or ""):
        return extras.install("cuda")
    folder = cache.cache_folder(natives.cache_key())
    if folder is None:
        return "set KERASISH_CACHE_DIR to a directory that can be written"
    if not cache.kernels(folder):
        return "python -m kerasish warmup"
    return "none, ready to train: python -m kerasish demo"
