// A model of 4 tokens whose kernels are a few lines of JavaScript: the logits of the next token are
// the sum of the embeddings of all tokens in the KV cache, plus a bias made of two parameters.

import { Host } from "./host.mjs";
import { FakeGpu } from "./fake_gpu.mjs";
import { writePlan } from "./plan_writer.mjs";
import { GPU, int } from "./values.mjs";

export const VOCABULARY = 4;
export const MAX_CONTEXT = 8;
export const PREFILL_CHUNK = 4;

const tokens = (multiplier = 1) => ({ variable: "tokens", multiplier });

const info = (name, argTypes, access) =>
  JSON.stringify({
    name,
    arg_types: argTypes,
    launch_param_tags: ["blockIdx.x", "blockIdx.y", `paramWriteAccess:${JSON.stringify(access)}`],
  });

const kernel = (name, numScalars, access) => ({
  name,
  info: info(name, [...access.map(() => "handle"), ...Array(numScalars).fill("uint32")], access),
  wgsl: `// ${name}\nfn ${name}() {}`,
});

const f32 = (bytes) => new Float32Array(bytes.buffer);
const i32 = (bytes) => new Int32Array(bytes.buffer);

/** The kernels, as the fake GPU runs them. */
export const kernels = {
  embed([ids, table, out], [count]) {
    for (let i = 0; i < count * VOCABULARY; ++i) {
      const token = i32(ids)[Math.floor(i / VOCABULARY)];
      f32(out)[i] = f32(table)[token * VOCABULARY + (i % VOCABULARY)];
    }
  },
  append([hidden, cache], [position, count]) {
    f32(cache).set(f32(hidden).subarray(0, count * VOCABULARY), position * VOCABULARY);
  },
  sum([cache, scratch], [total]) {
    f32(scratch).fill(0);
    for (let i = 0; i < total * VOCABULARY; ++i) f32(scratch)[i % VOCABULARY] += f32(cache)[i];
  },
  logits([scratch, bias, out]) {
    for (let i = 0; i < VOCABULARY; ++i) f32(out)[i] = f32(scratch)[i] + f32(bias)[i];
  },
};

const forward = (name, maxTokens) => ({
  name,
  inputs: [{ element: "float32", shape: [1, tokens(), VOCABULARY] }],
  results: [{ element: "float32", shape: [1, 1, VOCABULARY] }],
  returns: "arrayWithState",
  tokensDivisor: VOCABULARY,
  maxTokens,
  usesState: true,
  launches: [
    {
      kernel: "append",
      buffers: [
        ["argument", 0],
        ["cache", 0],
      ],
      scalars: [{ variable: "position" }, tokens()],
      grid: [{ variable: "tokens", multiplier: VOCABULARY, divisor: 3 }, 1],
    },
    {
      kernel: "sum",
      buffers: [
        ["cache", 0],
        ["scratch", 0],
      ],
      scalars: [{ variable: "total" }],
    },
    {
      kernel: "logits",
      buffers: [
        ["scratch", 0],
        ["merged", 0],
        ["result", 0],
      ],
    },
  ],
});

/** What the plan says, for tests to change before they write it. */
export function toyModel() {
  return {
    caratVersion: "1.2.3",
    name: "toy, f32",
    metadata: '{"params":[{"name":"table"},{"name":"bias.low"},{"name":"bias.high"}]}',
    parameters: [
      { name: "table", bytes: 4 * VOCABULARY * VOCABULARY },
      { name: "bias.low", bytes: 8 },
      { name: "bias.high", bytes: 8 },
    ],
    scratch: [4 * VOCABULARY],
    cache: [{ variable: "context", multiplier: 4 * VOCABULARY }],
    merged: [16],
    copies: [
      { parameter: 1, merged: 0, offset: 0, bytes: 8 },
      { parameter: 2, merged: 0, offset: 8, bytes: 8 },
    ],
    kernels: [
      kernel("embed", 1, [0, 0, 1]),
      kernel("append", 2, [0, 1]),
      kernel("sum", 1, [0, 1]),
      kernel("logits", 0, [0, 0, 1]),
    ],
    functions: [
      {
        name: "embed",
        inputs: [{ element: "int32", shape: [tokens()] }],
        results: [{ element: "float32", shape: [tokens(), VOCABULARY] }],
        returns: "tensor",
        maxTokens: PREFILL_CHUNK,
        launches: [
          {
            kernel: "embed",
            buffers: [
              ["argument", 0],
              ["parameter", 0],
              ["result", 0],
            ],
            scalars: [tokens()],
          },
        ],
      },
      forward("prefill", PREFILL_CHUNK),
      forward("decode", 1),
    ],
    maxContext: MAX_CONTEXT,
  };
}

/** A host that has loaded the toy model, and what WebLLM does with it. */
export class ToyHost extends Host {
  constructor({ plan = writePlan(toyModel()), gpu = new FakeGpu(kernels) } = {}) {
    super({ plan, gpu });
    this.gpu = gpu;
  }

  load() {
    this.library = this.call("ffi.SystemLib");
    this.model = this.call(this.functionOf(this.library, "vm_load_executable"));
    this.call(this.functionOf(this.model, "vm_initialization"), ...[15, 0, 2, 1, 0, 2].map(int));
  }

  functionOf(module, name) {
    return this.call("ffi.ModuleGetFunction", module, name, int(1));
  }

  run(name, ...args) {
    return this.call(this.functionOf(this.model, name), ...args);
  }

  gpuTensor(values, dtype, shape = [values.length]) {
    const tensor = this.tensor(shape, dtype, GPU);
    const array = dtype === "float32" ? new Float32Array(values) : new Int32Array(values);
    this.gpu.at(this.dataOf(tensor)).set(new Uint8Array(array.buffer));
    return tensor;
  }

  /** Puts parameters into the tensor cache, and takes them out as an array. */
  loadParameters({ scale = 1, bias = [0, 0, 0, 0] } = {}) {
    this.call("vm.builtin.tensor_cache.clear");
    const table = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? scale : 0)); // one-hot
    const tensors = {
      table: this.gpuTensor(table, "float32", [4, 4]),
      "bias.low": this.gpuTensor(bias.slice(0, 2), "float32"),
      "bias.high": this.gpuTensor(bias.slice(2), "float32"),
    };
    for (const [name, tensor] of Object.entries(tensors)) {
      this.call("vm.builtin.tensor_cache.update", name, tensor, int(0));
    }
    return this.takeParameters(Object.keys(tensors));
  }

  takeParameters(names) {
    const array = this.call("ffi.Array", ...names);
    const module = this.call("vm.builtin.param_module_from_cache_by_name", array);
    return this.call(this.functionOf(module, "get_params"));
  }

  newState(context = MAX_CONTEXT) {
    const sizes = [1, context, PREFILL_CHUNK, 16, 0].map((size) => this.shape(size));
    const state = this.run("create_tir_paged_kv_cache", ...sizes);
    this.call("vm.builtin.kv_state_add_sequence", state, int(0));
    return state;
  }

  begin(state, count) {
    this.call("vm.builtin.kv_state_begin_forward", state, this.shape(0), this.shape(count));
  }

  /** The logits behind `ids`. */
  step(state, parameters, ids) {
    const embedded = this.run("embed", this.gpuTensor(ids, "int32"), parameters);
    const shape = this.shape(1, ids.length, VOCABULARY);
    const view = this.call("runtime.TVMTensorCreateView", embedded, shape, "float32", int(0));
    this.begin(state, ids.length);
    const results = this.run(ids.length === 1 ? "decode" : "prefill", view, state, parameters);
    this.call("vm.builtin.kv_state_end_forward", state);
    return this.readFloats(this.call("ffi.ArrayGetItem", results, int(0)));
  }

  /** By way of a tensor on the CPU, as JavaScript reads all results. */
  readFloats(tensor) {
    const copy = this.tensor(this.shapeOf(tensor), "float32", 1);
    this.call("runtime.TVMTensorCopyFromTo", tensor, copy);
    return Array.from(new Float32Array(this.call("tvmjs.runtime.TensorCopyToBytes", copy).buffer));
  }
}

/** With the model loaded. */
export function loadedHost(options) {
  const host = new ToyHost(options);
  host.load();
  return host;
}
