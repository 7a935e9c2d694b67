"""Event files: the format that TensorBoard reads, for scalars.

Each record is a length, its checksum, a protocol buffer `Event` and its checksum. The few fields that scalars need are
encoded by hand, so that no TensorFlow is needed.
"""

import functools
import itertools
import os
import socket
import struct
import time

_FILE_NUMBERS = itertools.count()
_WALL_TIME, _STEP, _FILE_VERSION, _SUMMARY = 1, 2, 3, 5  # fields of Event
_VALUE = 1  # of Summary
_TAG, _SIMPLE_VALUE = 1, 2  # of Summary.Value


class EventFile:
    """A file of scalars by tag and step.

    Args:
        directory: Where to make the file.
    """

    def __init__(self, directory: str | os.PathLike):
        os.makedirs(directory, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_FILE_NUMBERS)}.v2"
        self.path = os.path.join(directory, name)
        self._file = open(self.path, "wb")
        self._write(_double(_WALL_TIME, time.time()) + _bytes(_FILE_VERSION, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Adds a value."""
        entry = _bytes(_TAG, tag.encode()) + _float(_SIMPLE_VALUE, value)
        summary = _bytes(_SUMMARY, _bytes(_VALUE, entry))
        self._write(_double(_WALL_TIME, time.time()) + _key(_STEP, 0) + _varint(step) + summary)

    def flush(self) -> None:
        """Hands what was added to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, event: bytes):
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _key(field, 5) + struct.pack("<f", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _varint(len(value)) + value


@functools.cache
def _crc_table() -> list[int]:
    """The table of CRC-32C (Castagnoli's polynomial, reflected)."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


def _checksum(data: bytes) -> bytes:
    """The masked CRC-32C of TensorFlow's record files."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
