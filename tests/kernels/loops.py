"""The parallel loops that plain Numba has found in a kernel."""

import re
from pathlib import Path
from typing import Any


def counts(dispatcher: Any) -> set[int]:
    """How many of them a dispatcher has, for each set of kinds that it is compiled for: as many as there are functions
    for them in the machine code. Numba itself says it only of what this process has compiled."""
    made = [dispatcher.get_metadata(signature) for signature in dispatcher.signatures]
    if all(made):
        return {one["parfor_diagnostics"].count_parfors() for one in made}
    source = Path(dispatcher.py_func.__code__.co_filename)
    kept = (source.parent / "__pycache__").glob(f"{source.stem}.loop-*.nbc")
    return {len(set(re.findall(rb"__numba_parfor_gufunc_0x[0-9a-f]+", file.read_bytes()))) for file in kept}
