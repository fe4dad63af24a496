"""The build backend that pyproject.toml names: scikit-build-core, whose wheel is tagged for the systems it runs on.

What pip builds is `py3-none-linux_x86_64`, which says of no system that it is new enough. auditwheel reads
from the ELF files which C library and C++ library they need; that gives `py3-none-manylinux_2_36_x86_64`, say.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

from scikit_build_core import build as backend
from scikit_build_core.build import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

# What a wheel may need that no system has: pip installs it with the package apache-tvm-ffi.
FROM_DEPENDENCIES = {"libtvm_ffi.so"}


def run_tool(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def platform_tag(wheel: pathlib.Path) -> str | None:
    """The tag for the oldest system that runs the wheel, or None if it needs libraries that only this one has."""
    report = json.loads(run_tool("auditwheel", "show", "--json", str(wheel)))
    foreign = report["external_libs"].keys() - FROM_DEPENDENCIES
    if foreign:
        print(
            f"{wheel.name} is for this system only: it needs {', '.join(sorted(foreign))}",
            file=sys.stderr,
        )
        return None
    return report["sym_tag"]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None) -> str:
    name = backend.build_wheel(wheel_directory, config_settings, metadata_directory)
    wheel = pathlib.Path(wheel_directory) / name
    tag = platform_tag(wheel)
    if tag is None:
        return name
    return run_tool("wheel", "tags", "--remove", "--platform-tag", tag, str(wheel)).strip()
