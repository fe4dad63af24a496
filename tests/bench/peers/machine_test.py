import platform
import unittest

from machine import num_cores, processor_name


class MachineTest(unittest.TestCase):
    def test_the_processor_is_named_as_the_kernel_does(self):
        self.assertEqual(processor_name("processor\t: 0\nmodel\t\t: 1\n"
                                        "model name\t: AMD EPYC 7763\nflags: avx2\n"),
                         "AMD EPYC 7763")

    def test_a_nameless_processor_has_its_architecture(self):
        self.assertEqual(processor_name("processor\t: 0\nCPU part\t: 0xd0c\n"), platform.machine())

    def test_there_is_a_core(self):
        self.assertGreaterEqual(num_cores(), 1)


if __name__ == "__main__":
    unittest.main()
