import re
import unittest
import xml.etree.ElementTree as ElementTree

from draw import LABELS_WIDTH, PLOT_WIDTH, axis_ticks, draw
from example import example

SVG = "{http://www.w3.org/2000/svg}"


class DrawTest(unittest.TestCase):
    def test_ticks_begin_at_zero_and_reach_the_largest(self):
        self.assertEqual(axis_ticks(1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0])
        self.assertEqual(axis_ticks(3.1), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
        self.assertEqual(axis_ticks(12.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0])

    def test_there_are_never_many_ticks(self):
        for tenths in range(10, 2000):
            ticks = axis_ticks(tenths / 10)
            self.assertLessEqual(len(ticks), 9)
            self.assertGreaterEqual(ticks[-1], tenths / 10)

    def test_bars_and_the_line_of_llama_cpp_share_a_scale(self):
        picture = ElementTree.fromstring(draw(example()))
        prefill, decode = (float(bar.get("width")) for bar in picture.iter(f"{SVG}rect"))
        one, = (float(line.get("x1")) for line in picture.iter(f"{SVG}line")
                if line.get("class") == "one")
        self.assertAlmostEqual(prefill / (one - LABELS_WIDTH), 2.2, delta=0.01)
        self.assertAlmostEqual(decode / (one - LABELS_WIDTH), 1.0, delta=0.01)
        self.assertLess(prefill, PLOT_WIDTH)

    def test_it_names_the_machine_the_work_and_the_axis(self):
        text = "\n".join(ElementTree.fromstring(draw(example())).itertext())
        for words in ("2 cores of Ryzen <9>", "prefill of 512 after 4096, 2 threads, q4_0",
                      "1100 : 500", "how many times as fast as llama.cpp"):
            self.assertIn(words, text)

    def test_every_colour_has_one_for_dark_pages(self):
        light, dark = draw(example()).split("prefers-color-scheme: dark")
        coloured = re.compile(r"^ +(\S+) \{.*(?:fill|stroke): #", re.MULTILINE)
        self.assertEqual(set(coloured.findall(light)), set(coloured.findall(dark)))


if __name__ == "__main__":
    unittest.main()
