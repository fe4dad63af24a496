// Tensors on the CPU and the GPU, how weights are decoded, and the cache that they are loaded to.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeGpu } from "./fake_gpu.mjs";
import { Host } from "./host.mjs";
import { CPU, GPU, int } from "./values.mjs";

const bytesOf = (array) => new Uint8Array(array.buffer);

function hostWithGpu() {
  const gpu = new FakeGpu();
  return { gpu, host: new Host({ gpu }) };
}

test("bytes go to the CPU, to the GPU, within it and back", () => {
  const { host, gpu } = hostWithGpu();
  const bytes = bytesOf(new Float32Array([1, -2, 3.5, 0]));
  const [from, first, second, back] = [CPU, GPU, GPU, CPU].map((device) =>
    host.tensor([2, 2], "float32", device),
  );
  host.call("tvmjs.runtime.TensorCopyFromBytes", from, bytes);
  for (const [source, target] of [
    [from, first],
    [first, second],
    [second, back],
    [back, from],
  ]) {
    host.call("runtime.TVMTensorCopyFromTo", source, target);
  }
  assert.deepEqual(gpu.at(host.dataOf(second)), bytes);
  assert.deepEqual(host.call("tvmjs.runtime.TensorCopyToBytes", from), bytes);
});

test("a view is of the same memory, from an offset on", () => {
  const { host } = hostWithGpu();
  const tensor = host.tensor([2, 3], "int32", CPU);
  host.call(
    "tvmjs.runtime.TensorCopyFromBytes",
    tensor,
    bytesOf(new Int32Array([1, 2, 3, 4, 5, 6])),
  );
  const row = host.call(
    "runtime.TVMTensorCreateView",
    tensor,
    host.shape(1, 1, 2),
    "int32",
    int(12),
  );
  assert.deepEqual(host.shapeOf(row), [1, 1, 2]);
  const last = host.call("runtime.TVMTensorCreateView", row, host.shape(1), "int32", int(4));
  assert.deepEqual(
    host.call("tvmjs.runtime.TensorCopyToBytes", row),
    bytesOf(new Int32Array([4, 5])),
  );
  assert.deepEqual(
    host.call("tvmjs.runtime.TensorCopyToBytes", last),
    bytesOf(new Int32Array([5])),
  );
});

test("a view keeps the memory of its tensor", () => {
  const { host } = hostWithGpu();
  host.tensor([4], "float32"); // finds the GPU's functions, which stay
  host.releaseAll();
  const before = host.exports.CaratNumAllocations();
  const tensor = host.tensor([4], "float32");
  const view = host.call(
    "runtime.TVMTensorCreateView",
    tensor,
    host.shape(2, 2),
    "float32",
    int(0),
  );
  host.exports.TVMFFIObjectIncRef(view.address);
  host.releaseAll();
  const other = host.tensor([4], "float32");
  assert.notEqual(host.dataOf(other), host.dataOf(view));
  view.release();
  host.releaseAll();
  assert.equal(host.exports.CaratNumAllocations(), before);
});

test("what is no tensor is refused in words", () => {
  const { host } = hostWithGpu();
  const tensor = host.tensor([4], "float32");
  const view = (shape, dtype, offset) =>
    host.call("runtime.TVMTensorCreateView", tensor, host.shape(...shape), dtype, int(offset));
  assert.throws(() => view([5], "float32", 0), {
    message: "a view of 20 bytes at 0 of a tensor of 16",
  });
  assert.throws(() => view([1], "float32", 16), { message: /a view of 4 bytes at 16/ });
  assert.throws(() => view([1], "float32", -4), { message: /the offset is -4/ });
  assert.throws(() => view([1], "float33", 0), { message: /'float33' is no element type/ });
  assert.throws(() => host.tensor([-1], "float32"), { message: "a tensor with dimension -1" });
  assert.throws(() => host.tensor([65536, 65536], "uint8"), {
    message: /more than 2147483647 bytes/,
  });
  assert.throws(() => host.tensor([1, 1, 1, 1, 1, 1, 1, 1, 1], "uint8"), {
    message: /9 dimensions/,
  });
  assert.throws(() => host.tensor([1], "float32", 2), {
    message: /cpu and webgpu, not on one of type 2/,
  });
  assert.throws(
    () => host.call("runtime.TVMTensorCopyFromTo", tensor, host.tensor([5], "float32")),
    {
      message: "a tensor of 16 bytes is copied to one of 20",
    },
  );
  assert.throws(() => host.call("tvmjs.runtime.TensorCopyToBytes", tensor), {
    message: /is on the GPU/,
  });
});

test("a tensor on the GPU needs WebGPU", () => {
  assert.throws(() => new Host().tensor([1], "float32"), { message: /^WebGPU is not initialized/ });
});

test("what the GPU refuses is an error", () => {
  const { host } = hostWithGpu();
  assert.throws(() => host.tensor([1 << 21], "float32"), {
    message: /the fake GPU has no 8388608 bytes/,
  });
});

test("raw weights are stored as they are, bfloat16 ones as the upper halves of float32", () => {
  const { host } = hostWithGpu();
  const expected = new Float32Array([1, -2.5, 0, 3e38]);
  const tensor = host.tensor([4], "float32", CPU);
  const decode = (bytes, format) =>
    host.call("tvmjs.array.decode_storage", tensor, bytes, format, "float32");
  decode(bytesOf(expected), "raw");
  assert.deepEqual(host.call("tvmjs.runtime.TensorCopyToBytes", tensor), bytesOf(expected));
  const words = new Uint16Array(expected.buffer).filter((_, i) => i % 2 === 1);
  const truncated = new Uint32Array(Array.from(words, (word) => word << 16));
  decode(bytesOf(words), "f32-to-bf16");
  assert.deepEqual(host.call("tvmjs.runtime.TensorCopyToBytes", tensor), bytesOf(truncated));
  assert.throws(() => decode(new Uint8Array(7), "raw"), { message: /7 stored bytes/ });
  assert.throws(() => decode(new Uint8Array(10), "f32-to-bf16"), {
    message: /10 bytes of bfloat16/,
  });
  assert.throws(() => decode(bytesOf(words), "zip"), { message: /format 'zip'/ });
});

test("bfloat16 weights are decoded in place too", () => {
  const { host } = hostWithGpu();
  const tensor = host.tensor([3], "float32", CPU);
  const words = new Uint16Array([0x3f80, 0xc020, 0x0001]);
  host.bytes(host.dataOf(tensor), 6).set(bytesOf(words));
  host.call("tvmjs.array.decode_bf16_to_f32_inplace", tensor, int(6));
  const decoded = new Uint32Array([0x3f800000, 0xc0200000, 0x00010000]);
  assert.deepEqual(host.call("tvmjs.runtime.TensorCopyToBytes", tensor), bytesOf(decoded));
  for (const bytes of [-2, 4, 12]) {
    assert.throws(
      () => host.call("tvmjs.array.decode_bf16_to_f32_inplace", tensor, int(bytes)),
      Error,
    );
  }
});

test("the tensor cache keeps tensors by name", () => {
  const { host } = hostWithGpu();
  const [first, second] = [host.tensor([1], "float32"), host.tensor([1], "float32")];
  const update = (tensor, override) =>
    host.call("vm.builtin.tensor_cache.update", "weight", tensor, int(override));
  update(first, 0);
  assert.throws(() => update(second, 0), { message: /names the tensor 'weight' twice/ });
  assert.equal(host.call("vm.builtin.tensor_cache.get", "weight").address, first.address);
  update(second, 1);
  assert.equal(host.call("vm.builtin.tensor_cache.get", "weight").address, second.address);
  host.call("vm.builtin.tensor_cache.remove", "weight");
  assert.equal(host.call("vm.builtin.tensor_cache.get", "weight"), undefined);
});

test("parameters come in the order of the names asked for", () => {
  const { host } = hostWithGpu();
  const names = Array.from({ length: 100 }, (_, i) => `layer.${i}`);
  const addresses = names.map((name) => {
    const tensor = host.tensor([1], "float32");
    host.call("vm.builtin.tensor_cache.update", name, tensor, int(0));
    return tensor.address;
  });
  const reversed = host.call("ffi.Array", ...names.toReversed());
  const module = host.call("vm.builtin.param_module_from_cache_by_name", reversed);
  const parameters = host.call(host.call("ffi.ModuleGetFunction", module, "get_params", int(1)));
  const found = names.map((_, i) => host.call("ffi.ArrayGetItem", parameters, int(i)).address);
  assert.deepEqual(found, addresses.toReversed());
  assert.throws(
    () =>
      host.call("vm.builtin.param_module_from_cache_by_name", host.call("ffi.Array", "layer.100")),
    {
      message:
        /no parameter 'layer.100', which the library needs: the weights are of another model/,
    },
  );
});

test("a freed buffer is used again for the next tensor of its size", () => {
  const { host, gpu } = hostWithGpu();
  for (let i = 0; i < 50; ++i) {
    host.tensor([64], "float32");
    host.tensor([1, 32], "int32");
    host.releaseAll();
  }
  assert.equal(gpu.numAllocated, 2);
  assert.equal(gpu.numFreed, 0);
});

test("buffers waiting to be used again are bounded in number", () => {
  const { host, gpu } = hostWithGpu();
  for (let size = 1; size <= 500; ++size) {
    host.tensor([size], "float32");
    host.releaseAll();
  }
  assert.ok(gpu.live <= 32, `${gpu.live} buffers`);
  host.tensor([500], "float32");
  assert.equal(gpu.numAllocated, 500, "the youngest are kept");
});
