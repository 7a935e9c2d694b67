"""How much memory a file may make its reader take: what a config asks for is held against what the file brings."""

import contextlib
import math
import threading
from collections.abc import Iterator, Sequence

_LOCAL = threading.local()
_FLOOR = 1 << 30  # bytes; what metrics, optimizers and weights of the user's own may take beyond the file's
_RATIO = 8  # bytes in memory per byte in the file: weights, an optimizer's slots, wider dtypes


@contextlib.contextmanager
def held_against(file_bytes: int) -> Iterator[None]:
    """Within, in this thread, variables may take 1 GiB and 8 bytes for each byte of the file, all together."""
    outer = getattr(_LOCAL, "left", None)
    _LOCAL.left, _LOCAL.total = _FLOOR + _RATIO * file_bytes, file_bytes
    try:
        yield
    finally:
        _LOCAL.left = outer


def charge(what: str, shape: Sequence[int], itemsize: int) -> None:
    """Notes that something of this shape is about to be made.

    Raises:
        ValueError: If it is more than the file being read can be about.
    """
    left = getattr(_LOCAL, "left", None)
    if left is None:
        return
    wanted = math.prod(shape) * itemsize
    if wanted > left:
        raise ValueError(
            f"The file's config asks for {what} of shape {tuple(shape)}: {wanted} bytes, from a file of {_LOCAL.total} "
            "bytes. The file is damaged, or made to fill the memory; build the model in code if it is meant so."
        )
    _LOCAL.left = left - wanted
