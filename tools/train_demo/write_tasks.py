"""Writes what the demo model is measured by: questions for `carat evaluate`, and a text for `carat
perplexity`.

    python3 write_tasks.py [OUT_DIR]      # default: models/demo

Each line of tasks.jsonl is one conversation that waits for its last answer, 100 of them a task:

    {"task": "name_memory",
     "messages": [{"role": "user", "content": "My name is Ana."},
                  {"role": "assistant", "content": "Nice to meet you, Ana!"},
                  {"role": "user", "content": "What is my name?"}],
     "answer": "Your name is Ana."}

The answers of earlier turns are given, so only the last one is the model's. A conversation of one
question has it as "prompt".

sample.txt holds the stories of tasks.story, one a line: the longest texts that the model has learnt
to write rather than to read.

Training draws from generators seeded with 7 and 8; what is written here comes from another seed. The
sums, lists and stories may have occurred in training all the same, as they may for any user.
"""

import json
import random
import sys
from pathlib import Path

import tasks

SEED = 2026
QUESTIONS_PER_TASK = 100
NUM_STORIES = 200
DEFAULT_OUT_DIR = Path(__file__).resolve().parents[2] / "models" / "demo"


def to_record(task, conversation):
    messages = []
    for question, answer in conversation:
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": answer})
    answer = messages.pop()["content"]
    if len(messages) == 1:
        return {"task": task, "prompt": messages[0]["content"], "answer": answer}
    return {"task": task, "messages": messages, "answer": answer}


def question_lines():
    for task, generate in tasks.EVAL.items():
        rng = random.Random(f"{SEED} {task}")
        for _ in range(QUESTIONS_PER_TASK):
            yield json.dumps(to_record(task, generate(rng)), ensure_ascii=False) + "\n"


def story_lines():
    rng = random.Random(f"{SEED} story")
    for _ in range(NUM_STORIES):
        [(_, story)] = tasks.story(rng)
        yield story + "\n"


def main():
    out_dir = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT_DIR
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "tasks.jsonl").write_text("".join(question_lines()), encoding="utf-8")
    (out_dir / "sample.txt").write_text("".join(story_lines()), encoding="utf-8")


if __name__ == "__main__":
    main()
