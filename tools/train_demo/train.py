"""Trains the demo model: a tiny Gemma 3 (5 sliding-window layers, 1 global, QK-norm, two RoPE
bases), with quantization-aware training for Q4_0 in the last part; writes a Hugging Face folder.

    python3 train.py OUT_DIR [STEPS [CHECKPOINT]]    # needs torch; goes on from CHECKPOINT if given

models/demo came of four runs, each going on from the one before while the task mix in tasks.py
changed (1250, 1250, 1250 + 250, 1700 steps), some 1.2 s a step on 2 cores with torch 2.15. Its last
evaluation, 100 questions a task: all of EVAL 1.00, with Q4_0 and without; OPEN 0.50 to 0.56 with,
0.48 to 0.56 without.
"""

import json
import math
import random
import sys
import time
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

import checkpoint
import tasks
from config import CONFIG
from model import Model
from tokenizer import Tokenizer, train_bpe

SEQUENCE_TOKENS, BATCH = 384, 16
QUANTIZE_FROM = 0.75  # of the steps
BOS, START_OF_TURN, END_OF_TURN = 2, 105, 106


class Conversations:
    """Turns conversations into token ids, in Gemma's chat format."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.line_end = tokenizer.ids["\n"]

    def question(self, text):
        """A user's turn, and the model's up to where its answer begins."""
        user = [START_OF_TURN] + self.tokenizer.encode("user\n" + text)
        return user + [END_OF_TURN, self.line_end, START_OF_TURN] + self.tokenizer.encode("model\n")

    def answer(self, text):
        return self.tokenizer.encode(text) + [END_OF_TURN]

    def render(self, turns):
        """Token ids, and which of them are learnt: the answers."""
        ids, learnt = [BOS], [0]
        for question, answer in turns:
            question, answer = self.question(question), self.answer(answer)
            ids += question + answer + [self.line_end]
            learnt += [0] * len(question) + [1] * len(answer) + [0]
        return ids, learnt

    def batch(self, rng):
        """BATCH sequences of conversations on end, cut to SEQUENCE_TOKENS + 1."""
        all_ids, all_learnt = [], []
        for _ in range(BATCH):
            ids, learnt = [], []
            while len(ids) < SEQUENCE_TOKENS + 1:
                more_ids, more_learnt = self.render(tasks.sample(rng))
                ids += more_ids
                learnt += more_learnt
            all_ids.append(ids[: SEQUENCE_TOKENS + 1])
            all_learnt.append(learnt[: SEQUENCE_TOKENS + 1])
        return torch.tensor(all_ids), torch.tensor(all_learnt)


@torch.no_grad()
def answers_right(model, conversations, turns):
    """Whether greedy decoding gives the last answer: with the true answer fed in, every token of it
    is the most likely one."""
    ids, _ = conversations.render(turns[:-1])
    question, answer = turns[-1]
    ids += conversations.question(question)
    wanted = conversations.answer(answer)
    logits = model(torch.tensor([ids + wanted]))[0, len(ids) - 1 : -1]
    return bool((logits.argmax(-1) == torch.tensor(wanted)).all())


def evaluate(model, conversations, num_questions):
    """The share of right answers by task."""
    rng = random.Random(12345)
    shares = {}
    for name, generate in {**tasks.EVAL, **tasks.OPEN}.items():
        right = [answers_right(model, conversations, generate(rng)) for _ in range(num_questions)]
        shares[name] = sum(right) / num_questions
    return shares


def make_tokenizer(start):
    if start:
        return Tokenizer.from_json(json.loads(Path(start, "tokenizer.json").read_text("utf-8")))
    rng = random.Random(1)
    texts = [text for _ in range(6000) for turn in tasks.sample(rng) for text in turn]
    return Tokenizer(*train_bpe(texts, CONFIG["vocab_size"]))


def make_optimizer(parameters):
    """The learning rate is set at each step."""
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.05},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.98))


def learning_rate(step, num_steps, peak):
    """Warm-up over 100 steps, then a cosine down to a fiftieth."""
    cosine = 0.5 * (1 + math.cos(math.pi * (step / num_steps)))
    return peak * min(1, step / 100) * (0.02 + 0.98 * cosine)


def train(model, tokenizer, conversations, num_steps, start, out_dir):
    parameters = list(model.parameters())
    optimizer = make_optimizer(parameters)
    rng = random.Random(8 if start else 7)
    peak = 2e-3 if start else 3e-3
    begin = time.time()
    for step in range(1, num_steps + 1):
        model.quantize = step / num_steps > QUANTIZE_FROM
        rate = learning_rate(step, num_steps, peak)
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids, learnt = conversations.batch(rng)
        where = learnt[:, 1:] > 0
        loss = F.cross_entropy(model(ids[:, :-1], where), ids[:, 1:][where])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 50 == 0:
            print(
                f"step {step} {time.time() - begin:.0f}s loss {loss.item():.4f} "
                f"learning rate {rate:.5f} Q4_0 {model.quantize}",
                flush=True,
            )
        if step % 250 == 0:
            print("evaluation", evaluate(model, conversations, 20), flush=True)
            checkpoint.save(model, tokenizer, out_dir)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out_dir = Path(sys.argv[1])
    num_steps = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    start = sys.argv[3] if len(sys.argv) > 3 else None

    torch.set_num_threads(2)
    torch.manual_seed(0)
    out_dir.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(start)
    conversations = Conversations(tokenizer)
    model = Model()
    num_parameters = sum(p.numel() for p in model.parameters())
    print(f"{num_parameters} parameters, {len(tokenizer.vocab)} tokens", flush=True)
    if start:
        checkpoint.load(model, start)
        print("from", start, evaluate(model, conversations, 20), flush=True)

    train(model, tokenizer, conversations, num_steps, start, out_dir)
    checkpoint.save(model, tokenizer, out_dir)
    for _ in range(2):  # as it was trained last, then the other way
        state = "on" if model.quantize else "off"
        shares = evaluate(model, conversations, 100)
        print(f"last evaluation, Q4_0 {state}", shares, flush=True)
        model.quantize = not model.quantize


if __name__ == "__main__":
    main()
