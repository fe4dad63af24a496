// The runtime in a WebAssembly instance, and the side of tvmjs in the ABI, as far as tests need it:
// values of JavaScript become values of TVM's FFI and back.

import { readFileSync } from "node:fs";

import { Frame, encodeText } from "./frame.mjs";
import { GPU, Int, RawValue, int, types } from "./values.mjs";

export const runtimePath = process.env.CARAT_WEBLLM_RUNTIME;
const runtimeModule = new WebAssembly.Module(readFileSync(runtimePath));

const PAGE_BYTES = 65536;
const ANY_BYTES = 16;

/** A reference of an object of the runtime. */
export class Handle {
  constructor(host, address) {
    this.host = host;
    this.address = address;
  }

  get type() {
    return this.host.view.getInt32(this.address + 8, true);
  }

  release() {
    this.host.check(this.host.exports.TVMFFIObjectDecRef(this.address));
  }
}

export class Host {
  #functions = [];
  #handles = [];

  /** @param plan the bytes that a linker would append to the module, if any */
  constructor({ plan, gpu } = {}) {
    const env = {
      TVMFFIWasmSafeCall: (index, args, count, result) =>
        this.#callBack(index, args, count, result),
      TVMFFIWasmFunctionDeleter: (index) => (this.#functions[index] = undefined),
    };
    this.exports = new WebAssembly.Instance(runtimeModule, { env }).exports;
    if (plan !== undefined) this.#append(plan);
    this.exports._initialize();
    gpu?.attach(this);
  }

  get view() {
    return new DataView(this.exports.memory.buffer);
  }

  /** JavaScript functions that the runtime still holds. */
  get numFunctions() {
    return this.#functions.filter((each) => each !== undefined).length;
  }

  bytes(address, size) {
    return new Uint8Array(this.exports.memory.buffer, address, size);
  }

  allocate(size) {
    const address = this.exports.TVMWasmAllocSpace(size);
    if (address === 0) throw new Error("TVMWasmAllocSpace gave nothing");
    return address;
  }

  free(address) {
    this.exports.TVMWasmFreeSpace(address);
  }

  lastError() {
    return this.#cString(this.exports.TVMFFIWasmGetLastError());
  }

  check(status) {
    if (status !== 0) throw new Error(this.lastError());
  }

  /** The handle of a global function, or undefined. */
  findGlobal(name) {
    const frame = new Frame(this);
    try {
      const out = frame.allocate(4);
      this.check(this.exports.TVMFFIFunctionGetGlobal(frame.byteArray(encodeText(name)), out));
      const address = this.view.getUint32(out, true);
      return address === 0 ? undefined : this.#track(address);
    } finally {
      frame.free();
    }
  }

  setGlobal(name, func, override = false) {
    const frame = new Frame(this);
    try {
      const address = this.#functionObject(func);
      const nameBytes = frame.byteArray(encodeText(name));
      const status = this.exports.TVMFFIFunctionSetGlobal(nameBytes, address, override ? 1 : 0);
      this.exports.TVMFFIObjectDecRef(address);
      this.check(status);
    } finally {
      frame.free();
    }
  }

  /** Calls a global function by its name, or one by its handle. */
  call(func, ...args) {
    const handle = typeof func === "string" ? this.findGlobal(func) : func;
    if (handle === undefined) throw new Error(`${func} is no global function`);
    const frame = new Frame(this);
    try {
      const packed = frame.allocate(ANY_BYTES * args.length);
      args.forEach((arg, i) => this.#store(frame, packed + ANY_BYTES * i, arg));
      const result = frame.allocate(ANY_BYTES);
      this.check(this.exports.TVMFFIFunctionCall(handle.address, packed, args.length, result));
      return this.#load(result);
    } finally {
      frame.free();
    }
  }

  /** Releases every handle that was given since the last time. */
  releaseAll() {
    for (const handle of this.#handles) handle.release();
    this.#handles = [];
  }

  shape(...dimensions) {
    return this.call("ffi.Shape", ...dimensions.map(int));
  }

  tensor(dimensions, dtype, device = GPU) {
    const shape = this.shape(...dimensions);
    const place = new RawValue(types.device, device);
    return this.call("runtime.TVMTensorAllocWithScope", shape, dtype, place, undefined);
  }

  /** The number of a tensor's GPU buffer, or its address. */
  dataOf(tensor) {
    return this.view.getUint32(tensor.address + 24, true);
  }

  shapeOf(tensor) {
    const count = this.view.getInt32(tensor.address + 24 + 12, true);
    const shape = this.view.getUint32(tensor.address + 24 + 20, true);
    return Array.from({ length: count }, (_, i) => this.view.getInt32(shape + 8 * i, true));
  }

  #append(plan) {
    const { memory, carat_plan: location } = this.exports;
    const address = memory.buffer.byteLength;
    memory.grow(Math.max(1, Math.ceil(plan.length / PAGE_BYTES)));
    this.bytes(address, plan.length).set(plan);
    this.view.setUint32(location.value, address, true);
    this.view.setUint32(location.value + 4, plan.length, true);
  }

  #track(address) {
    const handle = new Handle(this, address);
    this.#handles.push(handle);
    return handle;
  }

  #cString(address) {
    let text = "";
    for (const bytes = this.bytes(0); bytes[address] !== 0; address += 1) {
      text += String.fromCharCode(bytes[address]);
    }
    return text;
  }

  #functionObject(func) {
    const frame = new Frame(this);
    try {
      const out = frame.allocate(4);
      this.check(this.exports.TVMFFIWasmFunctionCreate(this.#functions.push(func) - 1, out));
      return this.view.getUint32(out, true);
    } finally {
      frame.free();
    }
  }

  #store(frame, address, value) {
    const put = (type, word, high = 0, small = 0) => {
      this.view.setInt32(address, type, true);
      this.view.setUint32(address + 4, small, true);
      this.view.setInt32(address + 8, word, true);
      this.view.setInt32(address + 12, high, true);
    };
    if (value === undefined || value === null) {
      put(types.none, 0);
    } else if (value instanceof RawValue) {
      put(value.type, value.word, value.high, value.small);
    } else if (value instanceof Int) {
      put(types.int, value.value, value.value < 0 ? -1 : 0);
    } else if (value instanceof Handle) {
      put(value.type, value.address);
    } else if (value instanceof Uint8Array) {
      put(types.byteArray, frame.byteArray(value));
    } else if (typeof value === "number") {
      put(types.float, 0);
      this.view.setFloat64(address + 8, value, true);
    } else if (typeof value === "string") {
      put(types.rawString, frame.bytes(encodeText(`${value}\0`)));
    } else if (typeof value === "function") {
      const object = this.#functionObject(value);
      frame.releaseLater(object);
      put(types.function, object);
    } else {
      throw new Error(`no value of TVM's FFI: ${value}`);
    }
  }

  /** The value at `address`, of which the caller takes over the reference. */
  #load(address) {
    const type = this.view.getInt32(address, true);
    const word = this.view.getInt32(address + 8, true);
    if (type === types.none) return undefined;
    if (type === types.int) return word;
    if (type === types.bool) return word !== 0;
    if (type === types.float) return this.view.getFloat64(address + 8, true);
    if (type === types.pointer) return word;
    if (type === types.string || type === types.bytes) {
      const bytes = this.bytes(...this.#byteArrayAt(word + 24)).slice();
      this.check(this.exports.TVMFFIObjectDecRef(word));
      return type === types.bytes
        ? bytes
        : Array.from(bytes, (code) => String.fromCharCode(code)).join("");
    }
    if (type >= 64) return this.#track(word);
    throw new Error(`a value of type ${type}`);
  }

  #byteArrayAt(address) {
    return [this.view.getUint32(address, true), this.view.getUint32(address + 4, true)];
  }

  #callBack(index, args, count, result) {
    const before = this.#handles.length;
    try {
      const values = [];
      for (let i = 0; i < count; ++i) {
        const address = args + ANY_BYTES * i;
        if (this.view.getInt32(address, true) >= types.rawString) {
          this.check(this.exports.TVMFFIAnyViewToOwnedAny(address, address));
        }
        values.push(this.#load(address));
      }
      const returned = this.#functions[index](...values);
      const frame = new Frame(this);
      const stored = frame.allocate(ANY_BYTES);
      this.#store(frame, stored, returned);
      this.check(this.exports.TVMFFIAnyViewToOwnedAny(stored, result));
      frame.free();
      return 0;
    } catch (error) {
      const frame = new Frame(this);
      const kind = frame.bytes(encodeText("JSCallbackError\0"));
      this.exports.TVMFFIErrorSetRaisedFromCStr(
        kind,
        frame.bytes(encodeText(`${error.message}\0`)),
      );
      frame.free();
      return -1;
    } finally {
      for (const handle of this.#handles.splice(before)) handle.release();
    }
  }
}
