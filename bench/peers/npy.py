"""The .npy files `carat logits` reads and writes: int32 [n] and float32 [n, m]."""

import ast
import struct
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path

from process import PeersError

MAGIC = b"\x93NUMPY\x01\x00"
ALIGNMENT = 64  # of the data, which the header is padded for


def write_int32(path: Path, values: Sequence[int]) -> None:
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({len(values)},), }}"
    padding = -(len(MAGIC) + 2 + len(header) + 1) % ALIGNMENT
    text = header.encode() + b" " * padding + b"\n"
    path.write_bytes(MAGIC + struct.pack("<H", len(text)) + text +
                     struct.pack(f"<{len(values)}i", *values))


class Float32Rows:
    """The rows of a float32 matrix, read one at a time: all of them may be gigabytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._read_header(path)
        except BaseException:
            self._file.close()
            raise

    def _read_header(self, path: Path) -> None:
        if self._file.read(len(MAGIC)) != MAGIC or sys.byteorder != "little":
            raise PeersError(f"{path}: not a .npy file of version 1")
        length = struct.unpack("<H", self._file.read(2))[0]
        header = ast.literal_eval(self._file.read(length).decode())
        if header["descr"] != "<f4" or header["fortran_order"] or len(header["shape"]) != 2:
            raise PeersError(f"{path}: not a float32 matrix, but {header}")
        self.num_rows, self.num_columns = header["shape"]
        self._begin = self._file.tell()

    def __enter__(self) -> "Float32Rows":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def row(self, index: int) -> array:
        values = array("f")
        self._file.seek(self._begin + index * self.num_columns * values.itemsize)
        values.fromfile(self._file, self.num_columns)
        return values
