"""`python -m parity.differential.worker`: searches the subjects that its argument names, prints a result a line.

In a process of its own, because a case may end it: TensorFlow divides by zero in some poolings.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import sys

from parity.differential.search import search
from parity.differential.subject import named
from parity.libraries import sides


def main() -> None:
    """Read `[[subject, cases, seed], ...]` and search one after the other."""
    sides()
    gc.freeze()  # what was imported; clearing a session collects garbage, which a case would wait for
    for name, cases, seed in json.loads(sys.argv[1]):
        with contextlib.redirect_stdout(sys.stderr):  # which libraries write to, too
            result = search(named(name), cases, seed)
        print(json.dumps(dataclasses.asdict(result)), flush=True)


if __name__ == "__main__":
    main()
