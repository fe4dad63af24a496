"""Runs the commands of a documentation page, so that they stay true.

A block of commands that is to be run stands under the comment `<!-- test -->`:

    <!-- test -->
    ```sh
    build/carat compile models/demo
    ```

All such blocks of a page run in order, in one shell and one empty folder, in which `build/carat` is this
build's, `models` and `examples` are this source tree's and `.venv` is the Python that runs this. Any
command that fails fails the page. A block of code under `<!-- from FILE -->` has to stand in that file of
the source tree, line by line.

    run_page.py PAGE --carat build/carat --source .
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

MARKED_BLOCK = re.compile(r"^<!-- test -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "<!-- test -->"
QUOTED_BLOCK = re.compile(r"^<!-- from (\S+) -->\n```\S*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands_of(page: pathlib.Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    blocks = MARKED_BLOCK.findall(text)
    if len(blocks) != text.count(MARK):
        sys.exit(f"{page}: a `{MARK}` is not followed by a block of sh")
    if not blocks:
        sys.exit(f"{page}: no block is marked `{MARK}`")
    return blocks


def check_quotes(page: pathlib.Path, source: pathlib.Path) -> None:
    for file, code in QUOTED_BLOCK.findall(page.read_text(encoding="utf-8")):
        if code not in (source / file).read_text(encoding="utf-8"):
            sys.exit(f"{page}: {file} has no longer what is quoted from it")


def run(blocks: list[str], carat: pathlib.Path, source: pathlib.Path) -> int:
    with tempfile.TemporaryDirectory(prefix="carat-docs-") as temporary:
        folder = pathlib.Path(temporary)
        (folder / "build").mkdir()
        (folder / "build" / "carat").symlink_to(carat.resolve())
        for name in ("models", "examples"):
            (folder / name).symlink_to((source / name).resolve())
        (folder / ".venv").symlink_to(sys.prefix)
        script = "set -euxo pipefail\n" + "\n".join(blocks)
        return subprocess.run(["bash", "-c", script], cwd=folder, stdin=subprocess.DEVNULL,
                              check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--carat", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    check_quotes(arguments.page, arguments.source)
    sys.exit(run(commands_of(arguments.page), arguments.carat, arguments.source))


if __name__ == "__main__":
    main()
