import struct
import tempfile
import unittest
from pathlib import Path

from npy import Float32Rows, write_int32
from process import PeersError


def matrix_file(path: Path, descr: str = "<f4") -> None:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (2, 3), }}".encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header +
                     struct.pack("<6f", 0.0, 1.0, 2.0, 3.0, 4.0, 5.0))


class NpyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "file.npy"

    def test_tokens_are_written_as_numpy_does(self):
        write_int32(self.path, [2, 262143])
        data = self.path.read_bytes()
        self.assertEqual(data[:10], b"\x93NUMPY\x01\x00\x76\x00")
        self.assertTrue(data[10:128].startswith(b"{'descr': '<i4', 'fortran_order': False, "
                                                b"'shape': (2,), }"))
        self.assertEqual(data[127:128], b"\n")
        self.assertEqual(struct.unpack("<2i", data[128:]), (2, 262143))

    def test_rows_are_read_in_any_order(self):
        matrix_file(self.path)
        with Float32Rows(self.path) as rows:
            self.assertEqual((rows.num_rows, rows.num_columns), (2, 3))
            self.assertEqual(rows.row(1).tolist(), [3.0, 4.0, 5.0])
            self.assertEqual(rows.row(0).tolist(), [0.0, 1.0, 2.0])

    def test_another_type_is_refused(self):
        matrix_file(self.path, "<f8")
        with self.assertRaisesRegex(PeersError, "not a float32 matrix"):
            Float32Rows(self.path)


if __name__ == "__main__":
    unittest.main()
