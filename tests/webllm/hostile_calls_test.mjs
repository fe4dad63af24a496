// Calls that nobody should make: they are errors in words, and never traps.

import assert from "node:assert/strict";
import { test } from "node:test";

import { EAGER_GLOBALS, PIPELINE_GLOBALS } from "./globals.mjs";
import { Handle, Host } from "./host.mjs";
import { RawValue, int, types } from "./values.mjs";

const HOSTILE_VALUES = [
  undefined,
  int(0),
  int(-1),
  1e300,
  NaN,
  "",
  "text",
  new Uint8Array(3),
  new RawValue(types.string, 0),
  new RawValue(types.tensor, 0),
  new RawValue(types.tensor, -8),
  new RawValue(types.array, 64),
  new RawValue(types.array, 65536),
  new RawValue(types.kvState, 0x7ffffff8),
  new RawValue(types.function, 24),
  new RawValue(types.module, 3),
  new RawValue(types.rawString, 0),
  new RawValue(types.rawString, -1),
  new RawValue(types.byteArray, -4),
  new RawValue(types.smallString, 0, 0, 1000),
  new RawValue(-7, 1),
  new RawValue(99999, 1),
];

// Anything but a trap, which is a WebAssembly.RuntimeError.
function callAnyhow(host, name, ...args) {
  try {
    host.call(name, ...args);
  } catch (error) {
    assert.ok(!(error instanceof WebAssembly.RuntimeError), `${name}: ${error.message}`);
    assert.match(error.message, /./, name);
  }
}

test("no arguments of any kind make a function trap", () => {
  const host = new Host();
  const shape = host.shape(2, 3);
  const tensor = host.tensor([2, 3], "float32", 1);
  const outside = host.allocate(8); // a {data, size} beyond the memory
  host.view.setUint32(outside, 0xfffffff0, true);
  host.view.setUint32(outside + 4, 24, true);
  const beyond = new RawValue(types.byteArray, outside);
  const values = [
    ...HOSTILE_VALUES,
    beyond,
    shape,
    tensor,
    host.call("ffi.Array", tensor),
    host.shape(),
  ];
  for (const name of [...EAGER_GLOBALS, ...PIPELINE_GLOBALS]) {
    callAnyhow(host, name);
    for (const first of values) {
      callAnyhow(host, name, first);
      for (const second of values) {
        callAnyhow(host, name, first, second);
        callAnyhow(host, name, first, second, second, first);
      }
    }
  }
});

test("handles of nothing are errors", () => {
  const host = new Host();
  const { TVMFFIObjectIncRef, TVMFFIObjectDecRef, TVMFFIFunctionCall, TVMFFIAnyViewToOwnedAny } =
    host.exports;
  const result = host.allocate(16);
  for (const address of [0, 1, 8, 1024, -8, host.exports.memory.buffer.byteLength, result]) {
    assert.notEqual(TVMFFIObjectIncRef(address), 0);
    assert.notEqual(TVMFFIObjectDecRef(address), 0);
    assert.notEqual(TVMFFIFunctionCall(address, 0, 0, result), 0);
  }
  assert.notEqual(TVMFFIAnyViewToOwnedAny(0, result), 0);
  assert.notEqual(TVMFFIAnyViewToOwnedAny(result, -16), 0);
  const func = host.findGlobal("ffi.Array").address;
  assert.notEqual(TVMFFIFunctionCall(func, 0, 5, result), 0);
  assert.notEqual(TVMFFIFunctionCall(func, result, -1, result), 0);
  assert.notEqual(TVMFFIFunctionCall(func, result, 2147483647, result), 0);
  assert.notEqual(TVMFFIFunctionCall(func, result, 0, 0), 0);
});

test("a released object is known as dead", () => {
  const host = new Host();
  const array = host.call("ffi.Array", "a");
  const { address } = array;
  host.releaseAll();
  assert.throws(() => host.call("ffi.ArraySize", new RawValue(types.array, address)), {
    message: "ffi.ArraySize: argument 1 must be an array",
  });
  assert.throws(() => new Handle(host, address).release(), { message: /no living object/ });
});
