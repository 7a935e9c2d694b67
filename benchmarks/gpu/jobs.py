"""What there is to do, the most important first: groups of jobs, each a function that gives a record or several."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

Job = Callable[[], "dict | list[dict]"]


class Group(NamedTuple):
    """Jobs of one kind.

    Attributes:
        jobs: gives them by name; called without a card, too.
        share: of the time that is left when its turn comes, against the groups after it.
        limit: seconds after which a job counts as hanging.
        alone: whether each job has a process of its own.
    """

    jobs: Callable[[], dict[str, Job]]
    share: float
    limit: float = 60
    alone: bool = False


def compiling() -> dict[str, Job]:
    """Machine code of every kernel."""

    def everything() -> list[dict]:
        from benchmarks.gpu.compiling import compile_all
        from kerasish.device import cuda

        return compile_all(cuda.capability())

    return {"every kernel": everything}


def kernel_rows(rows: list) -> dict[str, Job]:
    """Rows of kernels, checked and timed."""
    return {row.title: functools.partial(_measure, row) for row in rows}


def _measure(row) -> dict:
    from benchmarks.gpu import card, kernels
    from kerasish.device import cuda

    cupy, torch = card.open_card(), card.torch_with_card()
    try:
        return kernels.measure(row, cupy, torch, kernels.Clock(cupy), card.describe(cupy)["peak_tflops"])
    finally:
        cuda.release()
        if torch is not None:
            torch.cuda.empty_cache()


def essential() -> dict[str, Job]:
    """Every family of kernels once, and convolutions in the precisions that most people use."""
    from benchmarks.gpu.convolutions import LARGE, convolution_rows
    from benchmarks.gpu.rows import memory_rows

    return kernel_rows([*memory_rows(), *convolution_rows("tf32", LARGE), *convolution_rows("float32", LARGE)])


def thorough() -> dict[str, Job]:
    """Every other row."""
    from benchmarks.gpu.convolutions import arithmetic_rows

    first = essential()
    return {name: job for name, job in kernel_rows(arithmetic_rows()).items() if name not in first}


def steps() -> dict[str, Job]:
    """Training steps, a process for each contestant."""
    from benchmarks.gpu.steps import step_jobs

    return step_jobs()


def agreement() -> dict[str, Job]:
    """Card and CPU: the same numbers, the same files."""
    from benchmarks.gpu.agreement import agreement_jobs

    return agreement_jobs()


def parity() -> dict[str, Job]:
    """Each case of the parity suite, on the card."""
    from benchmarks.gpu.agreement import parity_jobs

    return parity_jobs()


GROUPS = {
    "compile": Group(compiling, share=12, limit=240),
    "kernels": Group(essential, share=4),
    "steps": Group(steps, share=5, limit=150, alone=True),
    "agreement": Group(agreement, share=2, limit=120),
    "parity": Group(parity, share=3),
    "more kernels": Group(thorough, share=4),
}
