"""A worker with jobs that succeed, fail, die, hang, or lose the card."""

import os
import sys
import time

from benchmarks.gpu import worker
from benchmarks.gpu.jobs import Group


def fails():
    raise ValueError("no such thing")


def good():
    jobs = {
        "one": lambda: {"error": 1e-7, "right": True},
        "fails": fails,
        "dies": lambda: (print("last words", file=sys.stderr), os._exit(7)),
        "two": lambda: [{"name": "a", "seconds": 1}, {"name": "b", "seconds": 2}],
        "hangs": lambda: time.sleep(60),
        "three": lambda: {"right": True, "process": os.getpid()},
    }
    return jobs


def lost():
    return {"before": lambda: {"process": os.getpid()}, "fails": fails, "after": lambda: {"process": os.getpid()}}


def alone():
    return {name: lambda: {"process": os.getpid()} for name in ("x", "y")}


GROUPS = {
    "good": Group(good, share=1, limit=2),
    "lost": Group(lost, share=1),
    "mute": Group(lost, share=1),
    "alone": Group(alone, share=1, alone=True),
}


if __name__ == "__main__":
    if sys.argv[1] == "broken":
        sys.exit("cannot begin")
    worker.GROUPS.clear()
    worker.GROUPS.update(GROUPS)
    worker.card_answers = {"lost": lambda: False, "mute": lambda: time.sleep(60)}.get(sys.argv[1], lambda: True)
    sys.exit(worker.main(sys.argv[1:]))
