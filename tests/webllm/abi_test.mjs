// The border to tvmjs: exports and imports, values and references.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "node:test";

import { EAGER_GLOBALS, PIPELINE_GLOBALS } from "./globals.mjs";
import { Host, runtimePath } from "./host.mjs";
import { RawValue, int, types } from "./values.mjs";

const REQUIRED_EXPORTS = [
  "_initialize",
  "TVMWasmAllocSpace",
  "TVMWasmFreeSpace",
  "TVMFFIWasmGetLastError",
  "TVMFFIFunctionGetGlobal",
  "TVMFFIFunctionSetGlobal",
  "TVMFFIFunctionCall",
  "TVMFFIObjectDecRef",
  "TVMFFIObjectIncRef",
  "TVMFFITypeKeyToIndex",
  "TVMFFIAnyViewToOwnedAny",
  "TVMFFIWasmFunctionCreate",
  "TVMFFIErrorSetRaisedFromCStr",
  "TVMFFIGetVersion",
  "TVMFFIGetTypeInfo",
  "TVMFFIDataTypeToString",
];

const UNSUPPORTED = [
  "ffi.FunctionListGlobalNamesFunctor",
  "ffi.ModuleImportModule",
  "tvmjs.runtime.ArrayConcat",
  "tvmjs.runtime.ConcatEmbeddings",
  "vm.builtin.param_module_from_cache",
  "vm.builtin.sample_top_p_from_logits",
  "vm.builtin.sample_top_p_from_prob",
  "vm.builtin.apply_repetition_penalty",
  "vm.builtin.apply_presence_and_frequency_penalty",
  "vm.builtin.apply_softmax_with_temperature",
];

test("the module exports what tvmjs calls and imports two functions of env", () => {
  const module = new WebAssembly.Module(readFileSync(runtimePath));
  const exported = WebAssembly.Module.exports(module);
  for (const name of REQUIRED_EXPORTS) {
    assert.ok(
      exported.some((each) => each.name === name && each.kind === "function"),
      name,
    );
  }
  assert.ok(exported.some(({ name, kind }) => name === "memory" && kind === "memory"));
  assert.deepEqual(
    WebAssembly.Module.imports(module)
      .map(({ module, name, kind }) => `${module}.${name} ${kind}`)
      .sort(),
    ["env.TVMFFIWasmFunctionDeleter function", "env.TVMFFIWasmSafeCall function"],
  );
});

test("the module is below 64 KiB", () => {
  assert.ok(statSync(runtimePath).size < 65536);
});

test("every global that WebLLM looks up exists", () => {
  const host = new Host();
  for (const name of [...EAGER_GLOBALS, ...PIPELINE_GLOBALS]) {
    assert.notEqual(host.findGlobal(name), undefined, name);
  }
  assert.equal(host.findGlobal("vm.builtin.no_such_function"), undefined);
});

test("functions that no model of text reaches say so by their name", () => {
  const host = new Host();
  for (const name of UNSUPPORTED) {
    assert.throws(() => host.call(name, 1, "a"), {
      message: new RegExp(`^${name} is no function`),
    });
  }
});

test("types have the indices of tvm-ffi", () => {
  const host = new Host();
  const out = host.allocate(4);
  const indexOf = (key) => {
    const data = host.allocate(64);
    host.bytes(data + 8, key.length).set(new TextEncoder().encode(key));
    host.view.setUint32(data, data + 8, true);
    host.view.setUint32(data + 4, key.length, true);
    host.check(host.exports.TVMFFITypeKeyToIndex(data, out));
    return host.view.getInt32(out, true);
  };
  assert.equal(indexOf("ffi.Array"), types.array);
  assert.equal(indexOf("ffi.Module"), types.module);
  assert.throws(() => indexOf("ffi.Map"), { message: "the runtime has no type 'ffi.Map'" });
});

test("values keep their type through an array", () => {
  const host = new Host();
  const values = [
    int(-5),
    int(2147483647),
    2.5,
    "text",
    new Uint8Array([0, 255, 7]),
    undefined,
    "",
  ];
  const array = host.call("ffi.Array", ...values);
  assert.equal(host.call("ffi.ArraySize", array), values.length);
  const items = values.map((_, i) => host.call("ffi.ArrayGetItem", array, int(i)));
  assert.deepEqual(items, [
    -5,
    2147483647,
    2.5,
    "text",
    new Uint8Array([0, 255, 7]),
    undefined,
    "",
  ]);
});

test("small strings are text", () => {
  const host = new Host();
  const small = new RawValue(types.smallString, 0x636261, 0, 3);
  host.setGlobal("test.echo", (text) => `<${text}>`);
  assert.equal(host.call("test.echo", "longer than eight bytes"), "<longer than eight bytes>");
  assert.throws(() => host.call("vm.builtin.tensor_cache.update", small, undefined, int(0)), {
    message: "vm.builtin.tensor_cache.update: argument 2 must be a tensor",
  });
});

test("an index outside of an array is an error", () => {
  const host = new Host();
  const array = host.call("ffi.Array", "only");
  for (const index of [-1, 1, 0.5]) {
    assert.throws(() => host.call("ffi.ArrayGetItem", array, index), Error);
  }
});

test("a function of JavaScript is called with values and gives one back", () => {
  const host = new Host();
  const seen = [];
  host.setGlobal("test.add", (a, b) => {
    seen.push(a, b);
    return a + b;
  });
  assert.equal(host.call("test.add", 1.5, int(2)), 3.5);
  assert.deepEqual(seen, [1.5, 2]);
});

test("what a function of JavaScript throws is the error of the call", () => {
  const host = new Host();
  host.setGlobal("test.throw", () => {
    throw new Error("no such luck \u00e9");
  });
  assert.throws(() => host.call("test.throw"), { message: "no such luck ??" });
});

test("a global is replaced only where the caller asks for it", () => {
  const host = new Host();
  host.setGlobal("test.f", () => 1);
  assert.throws(() => host.setGlobal("test.f", () => 2), { message: /'test.f' exists already/ });
  assert.equal(host.call("test.f"), 1);
  host.setGlobal("test.f", () => 3, true);
  assert.equal(host.call("test.f"), 3);
  host.releaseAll();
  assert.equal(host.numFunctions, 1, "the others are given back to JavaScript");
});

test("the memory of values is freed with their last reference", () => {
  const host = new Host();
  host.call("ffi.Array", "warm up");
  host.releaseAll();
  const before = host.exports.CaratNumAllocations();
  const inner = host.call("ffi.Array", "a", host.shape(1, 2), () => 1);
  const outer = host.call("ffi.Array", inner, inner, "b");
  host.call("ffi.ArrayGetItem", outer, int(0));
  assert.ok(host.exports.CaratNumAllocations() > before);
  host.releaseAll();
  assert.equal(host.exports.CaratNumAllocations(), before);
  assert.equal(host.numFunctions, 0);
});
