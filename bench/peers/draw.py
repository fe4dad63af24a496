"""Draws peers.json as an SVG: a bar for each kind of work, of Carat's speed by llama.cpp's.

    prefill of 512, 2 threads, q4_0   |###############|-+-        1296 : 422
                                      0       1        2       3
                                          llama.cpp

A bar ends at the median of the pairs' ratios, its whisker spans the smallest and the largest. The
colours follow the reader's light or dark page; the background is the page's own.
"""

import math
from html import escape

from report import Row, machine_line, rows, three_digits, threads

WIDTH = 840
LABELS_WIDTH = 330  # left of the bars
NUMBERS_WIDTH = 130  # right of them
TOP = 66
ROW_HEIGHT = 26
BAR_HEIGHT = 14
BOTTOM = 54  # the axis and its name
PLOT_WIDTH = WIDTH - LABELS_WIDTH - NUMBERS_WIDTH

MAX_STEPS = 7  # of the axis

STYLE = """\
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .bar { fill: #2f6fde; }
  .line { stroke: #1f2328; stroke-width: 1.5; fill: none; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .one { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 4 3; }
  .one-name { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .bar { fill: #4f8ff7; }
    .line { stroke: #f0f6fc; }
    .grid { stroke: #3d444d; }
    .one { stroke: #f0883e; }
    .one-name { fill: #f0883e; }
  }"""


def axis_ticks(largest: float) -> list[float]:
    """From 0 to at least `largest`, above 0, in steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(largest / MAX_STEPS))
    step = next(step for factor in (1, 2, 5, 10) if (step := factor * power) * MAX_STEPS >= largest)
    return [index * step for index in range(math.ceil(largest / step) + 1)]


def draw(peers: dict) -> str:
    drawn = rows(peers)
    ticks = axis_ticks(max(1.0, *(row.ratio_max for row in drawn)))
    plot_bottom = TOP + ROW_HEIGHT * len(drawn)
    height = plot_bottom + BOTTOM
    title = f"Carat against llama.cpp: {peers['model']}, {machine_line(peers)}"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        _text(0, 18, "title", title),
        _text(0, 38, "quiet", f"bar: median of {peers['pairs']} pairs of runs; whisker: smallest "
              "to largest; right: tokens a second of Carat and llama.cpp"),
        *_grid(ticks, plot_bottom),
        *(line for index, row in enumerate(drawn) for line in _bar(index, row, ticks[-1])),
        *_line_of_llama_cpp(ticks[-1], plot_bottom),
        _text(LABELS_WIDTH + PLOT_WIDTH / 2, plot_bottom + 42, "quiet",
              "how many times as fast as llama.cpp", "middle"),
        "</svg>", ""])


def _x(ratio: float, end: float) -> float:
    return LABELS_WIDTH + PLOT_WIDTH * ratio / end


def _text(x: float, y: float, style: str, text: str, anchor: str = "start") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
            f"{escape(text)}</text>")


def _line(style: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _grid(ticks: list[float], bottom: float) -> list[str]:
    lines = []
    for tick in ticks:
        x = _x(tick, ticks[-1])
        lines += [_line("grid", x, TOP, x, bottom), _text(x, bottom + 18, "quiet", f"{tick:g}",
                                                          "middle")]
    return lines


def _bar(index: int, row: Row, end: float) -> list[str]:
    middle = TOP + ROW_HEIGHT * (index + 0.5)
    low, high = _x(row.ratio_min, end), _x(row.ratio_max, end)
    label = f"{row.work}, {threads(row.num_threads)}, {row.quantization}"
    return [
        _text(LABELS_WIDTH - 10, middle + 4.5, "label", label, "end"),
        f'<rect class="bar" x="{LABELS_WIDTH}" y="{middle - BAR_HEIGHT / 2:.1f}" '
        f'width="{_x(row.ratio, end) - LABELS_WIDTH:.1f}" height="{BAR_HEIGHT}"/>',
        _line("line", low, middle, high, middle),
        _line("line", low, middle - 4, low, middle + 4),
        _line("line", high, middle - 4, high, middle + 4),
        _text(WIDTH, middle + 4.5, "numbers",
              f"{three_digits(row.carat)} : {three_digits(row.llama_cpp)}", "end"),
    ]


def _line_of_llama_cpp(end: float, bottom: float) -> list[str]:
    x = _x(1.0, end)
    return [_line("one", x, TOP - 6, x, bottom),
            _text(x, TOP - 10, "one-name", "llama.cpp", "middle")]
