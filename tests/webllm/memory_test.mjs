// The heap, from which JavaScript takes what it passes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Host } from "./host.mjs";

test("freed memory is used again", () => {
  const host = new Host();
  const round = () => {
    const blocks = Array.from({ length: 50 }, (_, i) => host.allocate(1000 * (i + 1)));
    for (const block of blocks) host.free(block);
  };
  round();
  const bytes = host.exports.memory.buffer.byteLength;
  for (let i = 0; i < 20; ++i) round();
  assert.equal(host.exports.memory.buffer.byteLength, bytes);
});

test("allocations are aligned and do not overlap", () => {
  const host = new Host();
  const blocks = Array.from({ length: 300 }, (_, i) => {
    const address = host.allocate(i);
    assert.equal(address % 8, 0);
    host.bytes(address, i).fill(i);
    return address;
  });
  blocks.forEach((address, i) => {
    assert.ok(
      host.bytes(address, i).every((byte) => byte === i % 256),
      `block ${i}`,
    );
  });
});

test("too much memory is no memory", () => {
  const host = new Host();
  for (const size of [-1, -2147483648, 2147483647, 1610612736]) {
    assert.equal(host.exports.TVMWasmAllocSpace(size), 0);
  }
  assert.throws(() => host.tensor([2000000000], "uint8", 1), { message: /^out of memory/ });
});

test("what was not allocated is not freed", () => {
  const host = new Host();
  const block = host.allocate(100);
  const before = host.exports.CaratNumAllocations();
  for (const address of [
    0,
    16,
    block + 16,
    block + 1,
    0xfffffff0,
    host.exports.memory.buffer.byteLength,
  ]) {
    host.free(address);
  }
  assert.equal(host.exports.CaratNumAllocations(), before);
  host.free(block);
  host.free(block);
  assert.equal(host.exports.CaratNumAllocations(), before - 1);
});
