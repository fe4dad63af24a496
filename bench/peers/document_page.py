"""Replaces the tables in a page of documentation; see `document`."""

import re

from report import memory_table, quality_table, speed

PAGES = ("README.md", "docs/performance.md")

TABLES = {"speed": speed, "memory": memory_table, "quality": quality_table}

MARK = re.compile(r"<!-- peers: (\w+) -->\n.*?<!-- end of peers -->", re.DOTALL)


def with_tables(page: str, peers: dict) -> str:
    def table(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- peers: {name} -->\n{TABLES[name](peers)}\n<!-- end of peers -->"

    return MARK.sub(table, page)
