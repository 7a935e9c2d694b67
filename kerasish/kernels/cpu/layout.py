"""How thin kernels cut up rows of channels."""

from typing import NamedTuple

from kerasish.device.records import record


@record
class Chunks(NamedTuple):
    """Rows of C channels, cut for loops over channels. All of it depends on the shape alone, so that sums do not depend
    on the number of threads.

    Attributes:
        width: elements of a fold: whole rows, side by side, so that the inner loop is long.
        folds: folds of a chunk; a chunk's partial sums are taken in the dtype of the data.
        count: whole folds in all; less than one fold is left over.
        span: folds of a task, a multiple of `folds`; a task joins its chunks in float64.
        tasks: number of tasks.
        step: elements of a task of an elementwise kernel.
    """

    width: int
    folds: int
    count: int
    span: int
    tasks: int
    step: int


def chunks(size, C):
    """Folds of at least 256 elements, chunks of about 8192 (they fit the first-level cache), at most 64 tasks."""
    width = C * max(1, min(-(-256 // C), size // C))
    folds = max(16, 8192 // width)
    count = size // width
    span = folds * max(1, -(-count // (64 * folds)))
    return Chunks(width, folds, count, span, -(-count // span), width * max(1, 8192 // width))
