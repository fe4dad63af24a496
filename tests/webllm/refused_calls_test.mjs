// What a model's functions refuse: arguments, weights and settings that are not the model's.

import assert from "node:assert/strict";
import { test } from "node:test";

import { writePlan } from "./plan_writer.mjs";
import { MAX_CONTEXT, loadedHost, toyModel } from "./toy_model.mjs";
import { int } from "./values.mjs";

test("the context may not be longer than the model was compiled for", () => {
  const host = loadedHost();
  for (const context of [0, -1, MAX_CONTEXT + 1, 2147483647]) {
    assert.throws(() => host.newState(context), {
      message:
        `mlc-chat-config.json: context_window_size is ${context}, ` +
        "and the model was compiled for 1 to 8 tokens",
    });
  }
});

test("a sliding window set in the configuration is refused", () => {
  const host = loadedHost();
  const name = "vm.builtin.attention_kv_cache_enable_sliding_window_for_seq";
  assert.throws(() => host.call(name, host.newState(), int(0), int(64), int(0)), {
    message: /sliding_window_size must be -1/,
  });
});

test("forward passes come between begin_forward and end_forward", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const state = host.newState();
  const hidden = host.gpuTensor(Array(8).fill(0), "float32", [1, 2, 4]);
  const prefill = () => host.run("prefill", hidden, state, parameters);
  assert.throws(prefill, { message: "prefill was given 2 tokens, and kv_state_begin_forward 0" });
  host.begin(state, 3);
  assert.throws(prefill, { message: "prefill was given 2 tokens, and kv_state_begin_forward 3" });
  host.call("vm.builtin.kv_state_end_forward", state);
  assert.throws(() => host.call("vm.builtin.kv_state_end_forward", state), {
    message: /kv_state_begin_forward was not called before/,
  });
  assert.throws(() => host.begin(state, 0), { message: /: 0 tokens$/ });
  assert.throws(() => host.call("vm.builtin.kv_state_add_sequence", state, int(1)), {
    message: /has one sequence, 0, and no 1$/,
  });
});

test("tensors of another shape, type or place are refused", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const state = host.newState();
  const floats = (...shape) => host.tensor(shape, "float32");
  host.begin(state, 2);
  const prefill = (...args) => host.run("prefill", ...args);
  assert.throws(() => prefill(floats(2, 1, 4), state, parameters), {
    message: "prefill: tensor 1 has shape [2, 1, 4], the model needs [1, 2, 4]",
  });
  assert.throws(() => prefill(floats(1, 2, 3), state, parameters), {
    message: /6 elements.* multiple of 4$/,
  });
  assert.throws(() => prefill(floats(0, 4), state, parameters), { message: /was given no tokens/ });
  assert.throws(() => prefill(floats(5, 4), state, parameters), {
    message: "prefill was given 5 tokens at once, and was compiled for 4 (prefill_chunk_size)",
  });
  assert.throws(() => prefill(host.tensor([1, 2, 4], "int32"), state, parameters), {
    message: "prefill: tensor 1 has elements of int32, the model needs float32",
  });
  const onCpu = host.tensor([1, 2, 4], "float32", 1);
  assert.throws(() => prefill(onCpu, state, parameters), { message: /must be on the GPU/ });
  const inside = host.call(
    "runtime.TVMTensorCreateView",
    floats(3, 4),
    host.shape(1, 2, 4),
    "float32",
    int(16),
  );
  assert.throws(() => prefill(inside, state, parameters), {
    message: /at the start of its buffer/,
  });
  for (const shape of [
    [2, 4],
    [1, 2, 4],
    [1, 1, 2, 4],
  ])
    prefill(floats(...shape), state, parameters);
});

test("missing and needless arguments are refused", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const state = host.newState();
  host.begin(state, 1);
  const hidden = host.tensor([1, 1, 4], "float32");
  assert.throws(() => host.run("decode", state, parameters), {
    message: "decode takes 1 tensors, not 0",
  });
  assert.throws(() => host.run("decode", hidden, hidden, state, parameters), { message: /not 2$/ });
  assert.throws(() => host.run("decode", hidden, parameters), {
    message: "decode needs a KV state",
  });
  assert.throws(() => host.run("decode", hidden, state), {
    message: "decode needs the array of parameters",
  });
  assert.throws(() => host.run("decode", hidden, state, parameters, 1), {
    message: /argument 4 is no object/,
  });
  assert.throws(() => host.run("decode", hidden, state, parameters, host.model), {
    message: /argument 4 is neither/,
  });
});

test("weights of another model are refused by number and bytes", () => {
  const host = loadedHost();
  host.loadParameters();
  const embed = (names) =>
    host.run("embed", host.gpuTensor([0], "int32"), host.takeParameters(names));
  assert.throws(() => embed(["table"]), {
    message:
      "1 parameters were loaded, the library needs 3: " +
      "the weights are of another model or quantization",
  });
  assert.throws(() => embed(["bias.low", "table", "bias.high"]), {
    message:
      "parameter 'table' has 8 bytes, the library needs 64: " +
      "the weights are of another model or quantization",
  });
  const noTensors = host.call("ffi.Array", "a", "b", "c");
  assert.throws(() => host.run("embed", host.gpuTensor([0], "int32"), noTensors), {
    message: "parameter 'table' is no tensor on the GPU",
  });
});

test("more workgroups than WebGPU has are refused", () => {
  const model = toyModel();
  model.functions[0].launches[0].grid = [{ variable: "tokens", multiplier: 65536 }, 1];
  const host = loadedHost({ plan: writePlan(model) });
  const parameters = host.loadParameters();
  assert.throws(() => host.run("embed", host.gpuTensor([0], "int32"), parameters), {
    message: "embed: kernel 'embed' needs 65536 workgroups, of which WebGPU has 65535",
  });
});
