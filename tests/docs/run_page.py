"""Runs the commands of a documentation page, so that they stay true.

A block of commands that is to be run stands under the comment `<!-- test -->`:

    <!-- test -->
    ```sh
    build/carat compile models/demo
    ```

All such blocks of a page run in order, in one shell and one empty folder, in which `build/carat` and
`models` are this build's and this source tree's. Any command that fails fails the page.

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


def commands_of(page: pathlib.Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    blocks = MARKED_BLOCK.findall(text)
    if len(blocks) != text.count(MARK):
        sys.exit(f"{page}: a `{MARK}` is not followed by a block of sh")
    if not blocks:
        sys.exit(f"{page}: no block is marked `{MARK}`")
    return blocks


def run(blocks: list[str], carat: pathlib.Path, source: pathlib.Path) -> int:
    with tempfile.TemporaryDirectory(prefix="carat-docs-") as name:
        folder = pathlib.Path(name)
        (folder / "build").mkdir()
        (folder / "build" / "carat").symlink_to(carat.resolve())
        (folder / "models").symlink_to((source / "models").resolve())
        script = "set -euxo pipefail\n" + "\n".join(blocks)
        return subprocess.run(["bash", "-c", script], cwd=folder, stdin=subprocess.DEVNULL,
                              check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--carat", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    sys.exit(run(commands_of(arguments.page), arguments.carat, arguments.source))


if __name__ == "__main__":
    main()
