"""What is in the wheel, and what it needs of the system it is installed on."""

import re
import tempfile
import unittest
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import environment

# The C and C++ runtime that every system of its tag has, and what apache-tvm-ffi brings.
MAY_NEED = {
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libtvm_ffi.so",
}
NATIVE = ["carat/_native/carat", "carat/_native/libcarat.so"]


class WheelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.path = environment.wheel()
        cls.archive = cls.enterClassContext(zipfile.ZipFile(cls.path))
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.archive.extractall(folder)
        cls.native = [folder / name for name in NATIVE]
        cls.info = folder / f"carat-{environment.VERSION}.dist-info"

    def metadata(self, name: str):
        return HeaderParser().parsestr((self.info / name).read_text(encoding="utf-8"))

    def readelf(self, option: str, file: Path) -> str:
        return environment.run("readelf", "--wide", option, file).stdout

    def test_it_is_for_every_python_3_and_for_systems_as_new_as_its_symbols(self) -> None:
        tag = re.fullmatch(
            rf"carat-{re.escape(environment.VERSION)}-(py3-none-manylinux_2_(\d+)_\w+)\.whl",
            self.path.name,
        )
        self.assertIsNotNone(tag, self.path.name)
        self.assertEqual(self.metadata("WHEEL").get_all("Tag"), [tag[1]])
        for file in self.native:
            newest = max(
                int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", self.readelf("-V", file))
            )
            self.assertLessEqual(newest, int(tag[2]), file)

    def test_it_needs_what_every_system_has_and_libtvm_ffi(self) -> None:
        for file in self.native:
            dynamic = self.readelf("-d", file)
            self.assertLessEqual(set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)), MAY_NEED, file)
            self.assertEqual(
                re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic),
                ["$ORIGIN/../../tvm_ffi/lib"],
            )

    def test_it_is_stripped(self) -> None:
        for file in self.native:
            self.assertNotIn(".symtab", self.readelf("-S", file), file)

    def test_it_contains_the_package_the_program_the_library_and_the_license(self) -> None:
        package = environment.SOURCE / "python"
        sources = {
            str(path.relative_to(package))
            for path in package.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        info = {
            f"{self.info.name}/{name}"
            for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
        }
        self.assertEqual(set(self.archive.namelist()), sources | set(NATIVE) | info)
        self.assertIn("carat/py.typed", sources)

    def test_metadata_says_the_version_and_what_else_to_install(self) -> None:
        metadata = self.metadata("METADATA")
        self.assertEqual(metadata["Name"], "carat")
        self.assertEqual(metadata["Version"], environment.VERSION)
        self.assertEqual(metadata["License-Expression"], "Apache-2.0")
        needed = {
            re.match(r"[\w-]+", requirement)[0] for requirement in metadata.get_all("Requires-Dist")
        }
        self.assertEqual(needed, {"apache-tvm-ffi", "pydantic", "tqdm", "ziglang"})
        self.assertEqual(metadata.get_all("Provides-Extra"), ["compiler"])

    def test_it_is_built_with_the_tvm_ffi_of_requirements_txt(self) -> None:
        pin = re.search(
            r"^apache-tvm-ffi==\S+$",
            (environment.SOURCE / "requirements.txt").read_text(),
            re.MULTILINE,
        )
        self.assertIn(
            f'"{pin[0]}"', (environment.SOURCE / "pyproject.toml").read_text(encoding="utf-8")
        )


if __name__ == "__main__":
    unittest.main()
