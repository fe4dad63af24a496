import signal
import sys
import time
import unittest
from pathlib import Path

from process import PeersError, run


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


class ProcessTest(unittest.TestCase):
    def test_streams_come_apart_and_lines_have_their_second(self):
        seen = []
        finished = run(python("import sys, time; print('out'); print('a', file=sys.stderr);"
                              "sys.stderr.flush(); time.sleep(0.2); print('b', file=sys.stderr)"),
                       on_line=seen.append)
        self.assertEqual(finished.stdout, "out\n")
        self.assertEqual(seen, ["a", "b"])
        (first, _), (second, _) = finished.lines
        self.assertGreaterEqual(second - first, 0.15)
        self.assertGreaterEqual(finished.seconds, second)

    def test_merged_streams_are_all_lines(self):
        finished = run(python("print('out')"), merge=True)
        self.assertEqual([line for _, line in finished.lines], ["out"])

    def test_peak_memory_is_the_childs(self):
        finished = run(python("bytes(b'x' * (200 << 20))"))
        self.assertGreater(finished.peak_memory_bytes, 200 << 20)
        self.assertLess(run(python("pass")).peak_memory_bytes, 200 << 20)

    def test_a_failure_says_command_exit_code_and_last_lines(self):
        with self.assertRaisesRegex(PeersError, r"failed \(exit code 3\)\n  no such model"):
            run(python("import sys; print('no such model', file=sys.stderr); sys.exit(3)"))

    def test_a_signal_is_named(self):
        with self.assertRaisesRegex(PeersError, r"failed \(signal 9\)"):
            run(python("import os; os.kill(os.getpid(), 9)"))

    def test_a_missing_program_is_an_error_of_one_line(self):
        with self.assertRaisesRegex(PeersError, "^/nowhere/llama-bench: cannot be run: No such"):
            run([Path("/nowhere/llama-bench")])

    def test_an_interrupt_ends_the_child(self):
        def interrupt(signal_number, frame):
            raise KeyboardInterrupt
        previous = signal.signal(signal.SIGALRM, interrupt)
        self.addCleanup(signal.signal, signal.SIGALRM, previous)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        start = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            run(python("import time; time.sleep(60)"))
        self.assertLess(time.monotonic() - start, 20)


if __name__ == "__main__":
    unittest.main()
