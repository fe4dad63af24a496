// What tvmjs offers of WebGPU, with arrays for buffers: kernels are JavaScript functions by their
// entry points, or are only recorded.

import assert from "node:assert/strict";

// As much as a test may ask for; a plan that is damaged asks for more.
const MAX_BUFFER_BYTES = 1 << 20;

const roundedUp = (bytes) => Math.max(4, Math.ceil(bytes / 4) * 4);

export class FakeGpu {
  /** Uint8Array by number; a freed one is undefined. */
  buffers = [];
  /** {name, buffers, scalars, grid} of every launch. */
  launches = [];
  copies = 0;
  numAllocated = 0;
  numFreed = 0;
  #kernels;
  #host;

  constructor(kernels = {}) {
    this.#kernels = kernels;
  }

  /** Offers the GPU to a host's module, as initWebGPU does. */
  attach(host) {
    this.#host = host;
    host.setGlobal("wasm.WebGPUDeviceAPI", (name) => this.#deviceFunction(name));
    host.setGlobal("wasm.WebGPUCreateShader", (info, wgsl) =>
      this.createShader(JSON.parse(info), wgsl),
    );
  }

  get live() {
    return this.buffers.filter((buffer) => buffer !== undefined).length;
  }

  at(buffer) {
    const bytes = this.buffers[buffer];
    assert.notEqual(bytes, undefined, `GPU buffer ${buffer} does not exist`);
    return bytes;
  }

  /** A kernel as tvmjs makes it of its info: called with buffers, numbers and the grid. */
  createShader(info, wgsl) {
    const kinds = info.arg_types;
    const numBuffers = kinds.filter((kind) => kind === "handle").length;
    const access = info.launch_param_tags.find((tag) => tag.startsWith("paramWriteAccess:"));
    assert.equal(JSON.parse(access.slice("paramWriteAccess:".length)).length, numBuffers);
    return (...args) => {
      assert.equal(args.length, kinds.length + info.launch_param_tags.length - 1, info.name);
      const buffers = args.slice(0, numBuffers);
      const scalars = args.slice(numBuffers, kinds.length);
      const grid = args.slice(kinds.length);
      this.launches.push({ name: info.name, wgsl, buffers, scalars, grid });
      this.#kernels[info.name]?.(
        buffers.map((buffer) => this.at(buffer)),
        scalars,
        grid,
      );
    };
  }

  #deviceFunction(name) {
    const functions = {
      deviceAllocDataSpace: (bytes) => this.#allocate(bytes),
      deviceFreeDataSpace: (buffer) => this.#free(buffer),
      deviceCopyToGPU: (from, to, offset, bytes) => this.#copyToGpu(from, to, offset, bytes),
      deviceCopyFromGPU: (from, offset, to, bytes) => this.#copyFromGpu(from, offset, to, bytes),
      deviceCopyWithinGPU: (...args) => this.#copyWithinGpu(...args),
    };
    assert.ok(name in functions, name);
    return functions[name];
  }

  #allocate(bytes) {
    assert.ok(bytes >= 0);
    if (bytes > MAX_BUFFER_BYTES) throw new Error(`the fake GPU has no ${bytes} bytes`);
    this.numAllocated += 1;
    const free = this.buffers.indexOf(undefined);
    const buffer = free < 0 ? this.buffers.length : free;
    this.buffers[buffer] = new Uint8Array(roundedUp(bytes)).fill(0xcd);
    return buffer;
  }

  #free(buffer) {
    this.at(buffer);
    this.numFreed += 1;
    this.buffers[buffer] = undefined;
  }

  #copyToGpu(from, to, offset, bytes) {
    assert.equal(offset % 4, 0);
    this.at(to).set(this.#host.bytes(from, bytes), offset);
  }

  #copyFromGpu(from, offset, to, bytes) {
    assert.equal(offset % 4, 0);
    this.#host.bytes(to, bytes).set(this.at(from).subarray(offset, offset + bytes));
  }

  #copyWithinGpu(from, fromOffset, to, toOffset, bytes) {
    assert.equal((fromOffset | toOffset | bytes) % 4, 0);
    assert.ok(fromOffset + bytes <= this.at(from).length && toOffset + bytes <= this.at(to).length);
    this.at(to).set(this.at(from).slice(fromOffset, fromOffset + bytes), toOffset);
    this.copies += 1;
  }
}
