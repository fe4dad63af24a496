#!/usr/bin/env python3
"""Checks the directions between the rooms of carat/: `rooms.py SOURCE_DIR`.

A room may include headers only of the rooms that its carat_room() names in DEPS and of those that
these name in turn, and DEPS may name only rooms that the top CMakeLists.txt lists before it.
"""

import itertools
import pathlib
import re
import sys


def listed_rooms(source: pathlib.Path) -> list[str]:
    text = (source / "CMakeLists.txt").read_text()
    loop = re.search(r"foreach\(room\s+([^)]*)\)", text)
    if loop is None:
        sys.exit("CMakeLists.txt: the list of rooms, foreach(room ...), is missing")
    return loop.group(1).replace("IN ITEMS", "").split()


def declared_deps(folder: pathlib.Path) -> list[str]:
    text = (folder / "CMakeLists.txt").read_text()
    call = re.search(r"carat_room\(\s*\w+([^)]*)\)", text)
    words = call.group(1).split() if call else []
    after = words[words.index("DEPS") + 1 :] if "DEPS" in words else []
    return list(itertools.takewhile(lambda word: not word.isupper(), after))


def problems(source: pathlib.Path) -> list[str]:
    rooms = listed_rooms(source)
    found = []
    reachable: dict[str, set[str]] = {}
    for position, room in enumerate(rooms):
        folder = source / "carat" / room
        deps = declared_deps(folder)
        for dep in deps:
            if dep not in rooms[:position]:
                found.append(f"carat/{room}/CMakeLists.txt: DEPS names {dep}, which comes later")
        reachable[room] = {room}.union(*(reachable.get(dep, set()) for dep in deps))
        for path in sorted(folder.rglob("*")):
            if path.suffix not in {".h", ".cc"}:
                continue
            for included in re.findall(r'#include "carat/(\w+)/', path.read_text()):
                if included not in reachable[room]:
                    found.append(f"{path.relative_to(source)}: includes carat/{included}/, "
                                 f"which DEPS of {room} does not reach")
    unlisted = {p.name for p in (source / "carat").iterdir() if p.is_dir()} - set(rooms)
    found += [f"carat/{name}: is not in the top CMakeLists.txt" for name in sorted(unlisted)]
    return found


def main() -> None:
    found = problems(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or "every room includes only from rooms to its left")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
