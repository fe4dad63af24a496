#!/usr/bin/env python3
"""Checks that no C++ of the source tree casts const away: `const_casts.py SOURCE_DIR`.

State that changes is declared mutable: `_type_mutable` for objects of the TVM FFI, which makes their
references give non-const access.
"""

import pathlib
import re
import sys

FOLDERS = ("carat", "tests", "examples", "bench", "rust")
SUFFIXES = {".h", ".cc", ".inc", ".c", ".cpp", ".cu"}


def sources(source: pathlib.Path) -> list[pathlib.Path]:
    paths = (path for folder in FOLDERS for path in (source / folder).rglob("*"))
    return sorted(path for path in paths if path.suffix in SUFFIXES and "target" not in path.parts)


def problems(source: pathlib.Path) -> list[str]:
    found = []
    for path in sources(source):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if re.search(r"\bconst_cast\b", line):
                found.append(f"{path.relative_to(source)}:{number}: casts const away; declare what "
                             "changes mutable")
    return found


def main() -> None:
    source = pathlib.Path(sys.argv[1])
    if not sources(source):
        sys.exit(f"{source}: has no C++ sources")
    found = problems(source)
    print("\n".join(found) or "nothing casts const away")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
