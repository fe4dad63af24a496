// Runs one kernel case on WebGPU, in a page: with the layouts and the uniform that WebLLM's
// createShader gives a kernel, and a compute pass for each launch as it has them.

const ARRAYS = { f32: Float32Array, i32: Int32Array };
// What WebLLM demands of every device beyond WebGPU's defaults: kernels may use no more.
const LIMITS = { maxComputeWorkgroupStorageSize: 32768, maxStorageBuffersPerShaderStage: 10 };
const ERRORS = ["validation", "out-of-memory", "internal"];

// The device, and its kernels by what they are: cases share them, for some take seconds to compile.
let device;
const kernels = new Map();

/**
 * @param url of the case's .json and .bin, without these endings
 * @returns {Promise<string[]>} what went wrong: empty if nothing did
 */
export async function runCase(url) {
  const description = await (await fetch(`${url}.json`)).json();
  const blob = await (await fetch(`${url}.bin`)).arrayBuffer();
  device ??= await createDevice();
  const problems = [];
  for (const filter of ERRORS) device.pushErrorScope(filter);
  await runLaunches(description, blob, problems);
  for (const _ of ERRORS) {
    const error = await device.popErrorScope();
    if (error !== null) problems.push(error.message);
  }
  return problems;
}

async function createDevice() {
  const adapter = await navigator.gpu.requestAdapter();
  const requiredFeatures = ["shader-f16", "subgroups"].filter((name) => adapter.features.has(name));
  return adapter.requestDevice({ requiredLimits: LIMITS, requiredFeatures });
}

async function runLaunches(description, blob, problems) {
  const used = [];
  for (const kernel of description.kernels) {
    const key = JSON.stringify(kernel);
    if (!kernels.has(key)) kernels.set(key, await createKernel(kernel));
    used.push(kernels.get(key));
  }
  problems.push(...used.flatMap((kernel) => kernel.problems));
  if (problems.length > 0) return;

  const buffers = description.buffers.map((place) => createBuffer(blob, place));
  const encoder = device.createCommandEncoder();
  for (const launch of description.launches) {
    encodeLaunch(encoder, used[launch.kernel], launch, buffers);
  }
  device.queue.submit([encoder.finish()]);
  for (const expectation of description.expectations) {
    const actual = await readBuffer(buffers[expectation.buffer], expectation);
    problems.push(...differences(actual, valuesOf(blob, expectation), expectation));
  }
  for (const buffer of buffers) buffer.destroy();
}

/** A kernel's pipeline, the layout of its bindings, and what the compiler had to say. */
async function createKernel({ info, wgsl }) {
  const module = device.createShaderModule({ code: wgsl });
  const { messages } = await module.getCompilationInfo();
  const problems = messages.map(
    ({ type, lineNum, message }) =>
      `${info.name}:${lineNum}: ${type}: ${message}\n${wgsl.split("\n")[lineNum - 1]}`,
  );
  const access = info.launch_param_tags
    .filter((tag) => tag.startsWith("paramWriteAccess:"))
    .flatMap((tag) => JSON.parse(tag.slice("paramWriteAccess:".length)));
  const types = access.map((isWritten) => (isWritten ? "storage" : "read-only-storage"));
  const layout = device.createBindGroupLayout({
    entries: [...types, "uniform"].map((type, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    })),
  });
  const pipeline = await device
    .createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: info.name },
    })
    .catch((error) => problems.push(`${info.name}: ${error.message}`));
  return { layout, pipeline, problems };
}

function createBuffer(blob, { offset, num_bytes }) {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: num_bytes, usage });
  device.queue.writeBuffer(buffer, 0, blob, offset, num_bytes);
  return buffer;
}

function encodeLaunch(encoder, { layout, pipeline }, launch, buffers) {
  const scalars = new Uint32Array([...launch.scalars, launch.grid[0]]);
  const uniform = device.createBuffer({
    size: scalars.byteLength,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(uniform, 0, scalars);
  const bound = [...launch.buffers.map((index) => buffers[index]), uniform];
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout,
      entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  pass.dispatchWorkgroups(...launch.grid);
  pass.end();
}

async function readBuffer(buffer, { type, num_bytes }) {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const copy = device.createBuffer({ size: num_bytes, usage });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, copy, 0, num_bytes);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(GPUMapMode.READ);
  return new ARRAYS[type](copy.getMappedRange().slice());
}

function valuesOf(blob, { type, offset, num_bytes }) {
  return new ARRAYS[type](blob.slice(offset, offset + num_bytes));
}

/** A line with the first difference, and how many there are; none if there is none. */
function differences(actual, expected, { buffer, atol, rtol }) {
  const isWrong = (value, i) =>
    value !== expected[i] &&
    !(Math.abs(value - expected[i]) <= atol + rtol * Math.abs(expected[i]));
  const first = actual.findIndex(isWrong);
  if (first < 0) return [];
  const count = actual.filter(isWrong).length;
  return [
    `buffer ${buffer}: ${count} of ${expected.length} differ, ` +
      `first [${first}] = ${actual[first]}, expected ${expected[first]}`,
  ];
}
