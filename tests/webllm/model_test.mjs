// A model library from its plan: what WebLLM does to load it, to feed it and to take it down.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeGpu } from "./fake_gpu.mjs";
import { Host } from "./host.mjs";
import { writePlan } from "./plan_writer.mjs";
import { MAX_CONTEXT, ToyHost, kernels, loadedHost, toyModel } from "./toy_model.mjs";
import { GPU, int } from "./values.mjs";

test("the model is what the plan says", () => {
  const host = loadedHost();
  const model = toyModel();
  assert.equal(host.run("_metadata"), model.metadata);
  const map = JSON.parse(host.run("webgpu.get_fmap"));
  assert.deepEqual(
    Object.keys(map),
    model.kernels.map(({ name }) => name),
  );
  for (const { name, info, wgsl } of model.kernels) {
    assert.deepEqual(map[name], JSON.parse(info));
    assert.equal(host.run("webgpu.get_shader", name), wgsl);
  }
  for (const name of ["embed", "prefill", "decode", "create_tir_paged_kv_cache"]) {
    assert.notEqual(host.functionOf(host.model, name), undefined, name);
  }
  assert.equal(host.functionOf(host.model, "batch_prefill"), undefined);
  assert.equal(host.functionOf(host.library, "embed"), undefined);
});

test("a plan without kernels has an empty map", () => {
  const host = loadedHost({ plan: writePlan({ ...toyModel(), kernels: [], functions: [] }) });
  assert.equal(host.run("webgpu.get_fmap"), "{}");
});

test("every step sees all tokens before it", () => {
  const host = loadedHost();
  const parameters = host.loadParameters({ bias: [0.5, 0, 0, 0.25] });
  const state = host.newState();
  assert.deepEqual(host.step(state, parameters, [0, 1, 1]), [1.5, 2, 0, 0.25]);
  assert.deepEqual(host.step(state, parameters, [3]), [1.5, 2, 0, 1.25]);
  assert.deepEqual(host.step(state, parameters, [2, 0]), [2.5, 2, 1, 1.25]);
  const { scalars, grid } = host.gpu.launches.findLast(({ name }) => name === "append");
  assert.deepEqual({ scalars, grid }, { scalars: [4, 2], grid: [3, 1] });
});

test("the KV state comes back behind the logits", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const state = host.newState();
  host.begin(state, 1);
  const hidden = host.gpuTensor([1, 0, 0, 0], "float32", [1, 1, 4]);
  const results = host.run("decode", hidden, state, parameters);
  assert.equal(host.call("ffi.ArraySize", results), 2);
  assert.equal(host.call("ffi.ArrayGetItem", results, int(1)).address, state.address);
});

test("a cleared state begins anew, and states do not see each other", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const [first, second] = [host.newState(), host.newState()];
  host.step(first, parameters, [0, 1]);
  assert.deepEqual(host.step(second, parameters, [2]), [0, 0, 1, 0]);
  assert.deepEqual(host.step(first, parameters, [3]), [1, 1, 0, 1]);
  host.call("vm.builtin.kv_state_clear", first);
  assert.deepEqual(host.step(first, parameters, [3]), [0, 0, 0, 1]);
  assert.deepEqual(host.step(second, parameters, [2]), [0, 0, 2, 0]);
});

test("a forward pass that failed leaves no tokens in the state", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const state = host.newState();
  host.begin(state, 3);
  assert.deepEqual(host.step(state, parameters, [1]), [0, 1, 0, 0]);
});

test("a full context is refused until the state is cleared", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const state = host.newState(5);
  host.step(state, parameters, [0, 1, 2, 3]);
  assert.throws(() => host.begin(state, 2), {
    message: "the context of 5 tokens is full: it has 4, and 2 more do not fit in",
  });
  host.step(state, parameters, [0]);
  assert.throws(() => host.begin(state, 1), { message: /^the context of 5 tokens is full/ });
  host.call("vm.builtin.kv_state_clear", state);
  host.step(state, parameters, [0]);
});

test("weights are merged once for a set of parameters, and again for another", () => {
  const host = loadedHost();
  const state = host.newState();
  const logits = (parameters) => {
    host.call("vm.builtin.kv_state_clear", state);
    return host.step(state, parameters, [0]);
  };
  const names = ["table", "bias.low", "bias.high"];
  assert.deepEqual(logits(host.loadParameters({ bias: [1, 2, 3, 4] })), [2, 2, 3, 4]);
  const copies = host.gpu.copies;
  assert.deepEqual(logits(host.takeParameters(names)), [2, 2, 3, 4]);
  assert.equal(host.gpu.copies, copies, "another array of the same tensors");
  assert.deepEqual(logits(host.loadParameters({ scale: 2, bias: [5, 6, 7, 8] })), [7, 6, 7, 8]);
});

test("parameters are known as new where their memory is that of old ones", () => {
  const host = loadedHost();
  const ids = host.gpuTensor([0], "int32");
  host.run("embed", ids, host.loadParameters());
  host.exports.TVMFFIObjectIncRef(host.model.address);
  const model = host.model;
  const copies = host.gpu.copies;
  host.call("vm.builtin.tensor_cache.clear");
  host.releaseAll();
  host.model = model;
  host.run("embed", host.gpuTensor([0], "int32"), host.loadParameters());
  assert.equal(host.gpu.copies, 2 * copies);
});

test("kernels compiled before are launched, and others compiled then", () => {
  const host = loadedHost();
  const embed = toyModel().kernels[0];
  const launched = [];
  host.run("webgpu.update_prebuild", "embed", (...args) => void launched.push(args));
  const parameters = host.loadParameters();
  host.run("embed", host.gpuTensor([2, 3], "int32"), parameters);
  assert.equal(launched.length, 1);
  assert.deepEqual(launched[0].slice(3), [2, 1, 1]);
  assert.equal(host.gpu.launches.length, 0);
  host.step(host.newState(), parameters, [1]);
  assert.deepEqual(
    host.gpu.launches.map(({ name }) => name),
    ["append", "sum", "logits"],
  );
  assert.throws(() => host.run("webgpu.get_shader", `${embed.name}2`), {
    message: "the model has no kernel 'embed2'",
  });
  assert.throws(() => host.run("webgpu.update_prebuild", "embed", int(1)), {
    message: /must be a function/,
  });
});

test("what a kernel throws is the error of the function", () => {
  const failing = {
    ...kernels,
    embed: () => {
      throw new Error("device lost");
    },
  };
  const host = loadedHost({ gpu: new FakeGpu(failing) });
  const parameters = host.loadParameters();
  assert.throws(() => host.run("embed", host.gpuTensor([0], "int32"), parameters), {
    message: "device lost",
  });
});

test("decoding allocates and frees no buffers when it has begun", () => {
  const host = loadedHost();
  const parameters = host.loadParameters();
  const state = host.newState();
  const keep = [host.library, host.model, parameters, state];
  for (const { address } of keep) host.exports.TVMFFIObjectIncRef(address);
  host.releaseAll();
  let allocated;
  for (let i = 0; i < MAX_CONTEXT; ++i) {
    host.step(state, parameters, [i % 4]);
    host.releaseAll();
    if (i === 1) allocated = host.gpu.numAllocated;
  }
  assert.equal(host.gpu.numAllocated, allocated);
  assert.equal(host.gpu.numFreed, 0);
});

test("nothing is left when the model is released", () => {
  const host = new ToyHost();
  const use = () => {
    host.load();
    const parameters = host.loadParameters();
    host.step(host.newState(), parameters, [1, 2, 3]);
    host.step(host.newState(), parameters, [3]);
    assert.throws(() => host.begin(host.newState(2), 3), Error);
    host.call("vm.builtin.tensor_cache.clear");
    host.releaseAll();
  };
  use();
  const allocations = host.exports.CaratNumAllocations();
  const functions = host.numFunctions;
  const { live } = host.gpu;
  for (let i = 0; i < 5; ++i) use();
  assert.equal(host.exports.CaratNumAllocations(), allocations);
  assert.equal(host.numFunctions, functions);
  assert.equal(host.gpu.live, live);
  assert.equal(host.gpu.numAllocated, live, "all buffers of later rounds are those of the first");
});

test("large buffers are given back at once", () => {
  // 40 MB each, which the pool does not keep; their bytes are not there.
  const gpu = new FakeGpu();
  const freed = [];
  const host = new Host({ gpu });
  host.setGlobal(
    "wasm.WebGPUDeviceAPI",
    (name) => (name === "deviceAllocDataSpace" ? () => 7 : (buffer) => void freed.push(buffer)),
    true,
  );
  host.tensor([10_000_000], "float32", GPU);
  host.releaseAll();
  assert.deepEqual(freed, [7]);
});
