"""What this machine is, for the numbers measured on it."""

import os
import platform
import re
from pathlib import Path

PROCESSOR_NAME = re.compile(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", re.MULTILINE)

# From here on, what else runs shows in the numbers.
BUSY_LOAD = 0.5


def processor_name(cpuinfo: str) -> str:
    """The name in the text of /proc/cpuinfo, which not every ARM processor has."""
    match = PROCESSOR_NAME.search(cpuinfo)
    return match[1].strip() if match else platform.machine()


def num_cores() -> int:
    """Physical cores this process may run on: processors that share one count once."""
    cores = set()
    for processor in os.sched_getaffinity(0):
        path = Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list")
        cores.add(path.read_text() if path.exists() else processor)
    return len(cores)


def load_average() -> float:
    """How many programs wanted to run at a time in the last minute: 0 on a quiet machine."""
    return round(os.getloadavg()[0], 1)


def is_busy(load: float) -> bool:
    return load >= BUSY_LOAD


def describe() -> dict:
    """An entry of peers.json; to be called before this comparison itself makes the machine busy."""
    return {
        "processor": processor_name(Path("/proc/cpuinfo").read_text()),
        "cores": num_cores(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "architecture": platform.machine(),
        "load_average_before": load_average(),
    }
