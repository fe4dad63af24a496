// Plans that are damaged: whatever their bytes, the runtime says so, or runs them without a trap.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeGpu } from "./fake_gpu.mjs";
import { Host } from "./host.mjs";
import { writePlan } from "./plan_writer.mjs";
import { ToyHost, toyModel } from "./toy_model.mjs";
import { int } from "./values.mjs";

const loadError = (plan) => {
  const host = new Host({ plan });
  try {
    host.call("ffi.SystemLib");
  } catch (error) {
    assert.ok(!(error instanceof WebAssembly.RuntimeError), error.message);
    return error.message;
  }
  return undefined;
};

const modelError = (change) => {
  const model = toyModel();
  change(model);
  return loadError(writePlan(model));
};

test("the runtime without a plan says that it is no model", () => {
  assert.match(loadError(undefined), /^this is Carat's runtime without a model/);
});

test("a plan of another version names both", () => {
  const expected =
    "model.wasm was made for plan version 2, this runtime reads 1: compile the model again";
  assert.equal(
    modelError((model) => (model.version = 2)),
    expected,
  );
});

test("what is no plan is refused", () => {
  const message = /^model.wasm is damaged: what is appended to it is no plan/;
  assert.match(
    modelError((model) => (model.magic = 0x12345678)),
    message,
  );
  assert.match(loadError(new Uint8Array(5)), message);
  assert.match(loadError(new Uint8Array(5000)), message);
});

test("a plan cut off at any word is refused", () => {
  const plan = writePlan(toyModel());
  assert.equal(loadError(plan), undefined);
  for (let length = 4; length < plan.length; length += 4) {
    assert.match(loadError(plan.slice(0, length)), /^model.wasm is damaged/, `${length} bytes`);
    const patched = plan.slice(0, length);
    // That believes to be whole.
    if (length >= 12) new DataView(patched.buffer).setUint32(8, length, true);
    assert.match(loadError(patched), /^model.wasm is damaged/, `${length} bytes`);
  }
});

const WRONG_MODELS = {
  "a text that is not ASCII": (model) => (model.metadata = "\u007f"),
  "no context": (model) => (model.maxContext = 0),
  "a scratch buffer that grows with the tokens": (model) =>
    (model.scratch = [{ variable: "tokens" }]),
  "a cache buffer that grows with the position": (model) =>
    (model.cache = [{ variable: "position" }]),
  "a buffer over 2 GiB": (model) => (model.cache = [{ variable: "context", multiplier: 1 << 30 }]),
  "a divisor of 0": (model) => (model.scratch = [{ divisor: 0 }]),
  "a minimum above the maximum": (model) => (model.scratch = [{ minimum: 2, maximum: 1 }]),
  "a parameter without a name": (model) => (model.parameters[0].name = ""),
  "a copy of no parameter": (model) => (model.copies[0].parameter = 3),
  "a copy to no merged weight": (model) => (model.copies[0].merged = 1),
  "a copy over the end": (model) => (model.copies[1].offset = 12),
  "a copy at an odd byte": (model) => (model.copies[1].offset = 6),
  "a copy of half a parameter": (model) => (model.copies[1].bytes = 4),
  "a kernel's name that JSON would escape": (model) => {
    model.kernels.push({ name: '"', info: "{}", wgsl: "" });
  },
  "a buffer that the plan has not": (model) => (model.functions[1].launches[1].buffers[1][1] = 1),
  "a result that the function has not": (model) =>
    (model.functions[0].launches[0].buffers[2][1] = 1),
  "an argument that the function has not": (model) =>
    (model.functions[0].launches[0].buffers[0][1] = 1),
  "a cache without a state": (model) => (model.functions[0].launches[0].buffers[0] = ["cache", 0]),
  "a position without a state": (model) =>
    (model.functions[0].launches[0].scalars = [{ variable: "position" }]),
  "a state returned without a state": (model) => (model.functions[0].returns = "arrayWithState"),
  "one tensor of two": (model) => model.functions[0].results.push(model.functions[0].results[0]),
  "tokens divided by 0": (model) => (model.functions[0].tokensDivisor = 0),
  "no tokens": (model) => (model.functions[0].maxTokens = 0),
  "tokens of no argument": (model) => (model.functions[0].tokensArgument = 1),
  "too many dimensions": (model) => (model.functions[0].results[0].shape = Array(9).fill(1)),
  "too many numbers for a kernel": (model) =>
    (model.functions[0].launches[0].scalars = Array(60).fill(1)),
  "too many tensors": (model) =>
    (model.functions[0].inputs = Array(17).fill(model.functions[0].inputs[0])),
};

for (const [what, change] of Object.entries(WRONG_MODELS)) {
  test(`a plan with ${what} is refused`, () => {
    assert.match(
      modelError(change) ?? "accepted",
      /^model.wasm is damaged: .* compile the model again$/,
    );
  });
}

/** Numbers that are the same every time (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The plan with some words or bytes changed, to values that are often nearly right. */
function mutate(plan, random) {
  const mutated = plan.slice();
  const view = new DataView(mutated.buffer);
  const interesting = [
    0,
    1,
    2,
    4,
    96,
    plan.length,
    plan.length - 4,
    0x7fffffff,
    0x80000000,
    0xffffffff,
  ];
  for (let i = random(4); i >= 0; --i) {
    const word = 4 * random(plan.length / 4);
    const kind = random(3);
    if (kind === 0) view.setUint8(word + random(4), random(256));
    if (kind === 1) view.setUint32(word, interesting[random(interesting.length)], true);
    if (kind === 2) view.setUint32(word, view.getUint32(word, true) + random(5) - 2, true);
  }
  return mutated;
}

/** Calls everything as WebLLM would, going on behind errors. */
function useAll(host) {
  const attempt = (action) => {
    try {
      return action();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      return undefined;
    }
  };
  attempt(() => host.load());
  if (host.model === undefined) return;
  attempt(() => host.run("_metadata"));
  attempt(() => host.run("webgpu.get_fmap"));
  for (const { name } of toyModel().kernels) attempt(() => host.run("webgpu.get_shader", name));
  const parameters = host.loadParameters();
  const state = attempt(() => host.newState());
  for (const ids of [[0, 1, 2], [3], [1, 1]]) {
    attempt(() => host.step(state, parameters, ids));
    attempt(() => host.call("vm.builtin.kv_state_clear", state));
    attempt(() => host.begin(state, ids.length));
    const hidden = host.tensor([1, ids.length, 4], "float32");
    for (const name of ["prefill", "decode"])
      attempt(() => host.run(name, hidden, state, parameters));
  }
  attempt(() => host.call("vm.builtin.tensor_cache.clear", int(0)));
  host.releaseAll();
}

test("2000 plans with random damage never trap", () => {
  const plan = writePlan(toyModel());
  const random = randomNumbers(2024);
  for (let round = 0; round < 2000; ++round) {
    const gpu = new FakeGpu();
    try {
      useAll(new ToyHost({ plan: mutate(plan, random), gpu }));
    } catch (error) {
      error.message = `round ${round}: ${error.message}`;
      throw error;
    }
  }
});
