"""Writes the questions the demo model is measured by, one file a task.

    python3 write_tasks.py [OUT_DIR]      # default: tests/data/demo_tasks

Each line of <task>.jsonl is one conversation that waits for its last answer:

    {"task": "name_memory",
     "turns": [{"role": "user", "content": "My name is Ana."},
               {"role": "assistant", "content": "Nice to meet you, Ana!"},
               {"role": "user", "content": "What is my name?"}],
     "expected": "Your name is Ana."}

The answers of earlier turns are given, so only the last one is the model's. Training draws from
generators seeded with 7 and 8; the questions here come from another seed. The sums and lists among
them may have occurred in training, as they may for any user.
"""

import json
import random
import sys
from pathlib import Path

import tasks

SEED = 2026
QUESTIONS_PER_TASK = 100
DEFAULT_OUT_DIR = Path(__file__).resolve().parents[2] / "tests" / "data" / "demo_tasks"


def to_record(task, conversation):
    turns = []
    for question, answer in conversation:
        turns.append({"role": "user", "content": question})
        turns.append({"role": "assistant", "content": answer})
    expected = turns.pop()["content"]
    return {"task": task, "turns": turns, "expected": expected}


def main():
    out_dir = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT_DIR
    out_dir.mkdir(parents=True, exist_ok=True)
    for task, generate in tasks.EVAL.items():
        rng = random.Random(f"{SEED} {task}")
        records = [to_record(task, generate(rng)) for _ in range(QUESTIONS_PER_TASK)]
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        (out_dir / f"{task}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
