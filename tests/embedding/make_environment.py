"""Makes a Python environment of its own for a host, unless it is there already.

    make_environment.py REQUIREMENTS FOLDER
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path


def megabytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if not file.is_symlink()) >> 20


def main() -> None:
    requirements, folder = Path(sys.argv[1]), Path(sys.argv[2])
    made_of = f"# Python {sys.version}\n{requirements.read_text()}"
    installed = folder / "made_of.txt"
    if installed.exists() and installed.read_text() == made_of:
        return
    start = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    subprocess.run([sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install",
                    "--quiet", "--no-deps", "--no-compile", "-r", requirements], check=True)
    installed.write_text(made_of)
    print(f"{folder.name}: {megabytes(folder)} MB in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
