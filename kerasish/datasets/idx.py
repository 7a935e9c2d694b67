"""Reader of IDX files, the format of MNIST: a type, a shape, and big-endian numbers."""

import gzip
import math
import os
import struct
import zlib

import numpy as np

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Reads an IDX file, plain or compressed with gzip.

    Args:
        path: Path of the file.

    Returns:
        The array, in the machine's byte order.

    Raises:
        ValueError: If it is no IDX file, or is cut short.

    Example:

    >>> read_idx("train-labels-idx1-ubyte.gz").shape
    (60000,)
    """
    return parse_idx(read_content(path), path)


def read_content(path: str | os.PathLike) -> bytes:
    """The bytes of a file, decompressed if they are gzip's."""
    with open(path, "rb") as file:
        content = file.read()
    if content[:2] != _GZIP_MAGIC:
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is damaged: {error}.") from None


def parse_idx(content: bytes, name: str | os.PathLike) -> np.ndarray:
    """The array in the bytes of an IDX file; `name` is for the error message."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise ValueError(
            f"{name} is not an IDX file: it starts with {content[:4]!r}, expected two zero bytes and a type."
        )
    dtype, rank = np.dtype(_TYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise ValueError(f"{name} is damaged: {len(content)} bytes, expected {start} for the shape alone.")
    shape = struct.unpack(f">{rank}I", content[4:start])
    expected = start + dtype.itemsize * math.prod(shape)
    if len(content) != expected:
        raise ValueError(f"{name} is damaged: {len(content)} bytes, expected {expected} for shape {shape}.")
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
