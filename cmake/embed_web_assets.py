"""Writes a C++ source file with the files that `carat web` serves.

    embed_web_assets.py OUT.cc FILE... [--gzip NAME=FILE]...

It defines carat::server::WebAssets(). The assembler takes the bytes in (.incbin), which a compiler would take minutes
to read as text. Files given by --gzip are compressed first, beside OUT.cc, into the same bytes each time.
"""

import argparse
import gzip
import pathlib

HEAD = """// Made by cmake/embed_web_assets.py.

#include "carat/server/web_assets.h"

"""

BYTES = """asm(".section .rodata\\n"
    ".balign 16\\n"
    "carat_web_asset_{index}: .incbin \\"{file}\\"\\n"
    "carat_web_asset_{index}_end: .byte 0\\n"
    ".previous\\n");
extern "C" const std::byte carat_web_asset_{index}[], carat_web_asset_{index}_end[];

"""

FUNCTION = """namespace carat::server {{

std::span<const WebAsset> WebAssets() {{
  static const WebAsset kAssets[] = {{
{entries}  }};
  return kAssets;
}}

}}  // namespace carat::server
"""

ENTRY = (
    '      {{"/{name}", {{carat_web_asset_{index}, carat_web_asset_{index}_end}}, {is_gzip}}},\n'
)


def compressed(source: pathlib.Path, folder: pathlib.Path, name: str) -> pathlib.Path:
    file = folder / f"{name}.gz"
    file.write_bytes(gzip.compress(source.read_bytes(), compresslevel=9, mtime=0))
    return file


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--gzip", action="append", default=[], metavar="NAME=FILE")
    arguments = parser.parse_args()
    out = arguments.out
    assets = [(file.name, file, False) for file in arguments.files]
    for pair in arguments.gzip:
        name, source = pair.split("=", 1)
        assets.append((name, compressed(pathlib.Path(source), out.parent, name), True))

    text, entries = HEAD, ""
    for index, (name, file, is_gzip) in enumerate(assets):
        text += BYTES.format(index=index, file=file)
        entries += ENTRY.format(name=name, index=index, is_gzip=str(is_gzip).lower())
    out.write_text(text + FUNCTION.format(entries=entries), encoding="utf-8")


if __name__ == "__main__":
    main()
