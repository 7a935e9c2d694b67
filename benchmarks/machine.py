"""What kind of machine measured, and with which versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path

PACKAGES = ("kerasish", "numpy", "numba", "keras", "tensorflow", "tensorflow_cpu", "jax", "torch", "onnxruntime")


def machine() -> dict:
    """The machine's kind, without anything that names the machine itself."""
    return {
        "processor": _processor(),
        "vectors": _vectors(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
    }


def one_line(kind: dict) -> str:
    """A machine in words."""
    vectors = f" ({kind['vectors']})" if kind["vectors"] else ""
    memory = f", {kind['memory_gb']} GB" if kind["memory_gb"] else ""
    return f"{kind['processor']}{vectors}, {kind['cores']} cores{memory}, {kind['system']}"


def slug(kind: dict) -> str:
    """A machine in a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", f"{kind['processor']} {kind['vectors']} {kind['cores']} cores".lower()).strip("-")


def load() -> float:
    """How many other programs want a core now; 0 where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def _vectors() -> str:
    flags = set(_text("/proc/cpuinfo").split())
    known = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
    return next((name for flag, name in known.items() if flag in flags), "")


def _memory() -> int | None:
    found = re.search(r"^MemTotal:\s*(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    return round(int(found.group(1)) / 2**20) if found else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
