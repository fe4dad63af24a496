// Dawn, the WebGPU of Chromium and Node.js, compiles the kernels of every library that Carat makes,
// on an adapter that has all features and computes nothing: those for shader-f16 run on no GPU in
// software.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { CARAT_PROGRAM, CARAT_DAWN_PACKAGES, CARAT_DEMO } = process.env;
const require = createRequire(path.join(CARAT_DAWN_PACKAGES, "package.json"));

let gpu, folder;

before(async () => {
  const { create, globals } = await import(pathToFileURL(require.resolve("webgpu")));
  Object.assign(globalThis, globals);
  gpu = create(["backend=null"]);
  folder = mkdtempSync(path.join(tmpdir(), "carat-dawn-"));
  const [web, dump] = ["web", "dump"].map((name) => path.join(folder, name));
  const words = ["compile", CARAT_DEMO, "--device", "webgpu", "-o", web, "--debug-dump", dump];
  execFileSync(CARAT_PROGRAM, words);
});

after(() => rmSync(folder, { recursive: true }));

/** The kernels of a library: [[name, text]]. */
function kernelsOf(library) {
  const text = readFileSync(path.join(folder, "dump", `${library}.wgsl`), "utf8");
  const parts = text.split(/^\/\/ --- (\w+) ---$/m).slice(1);
  return Array.from({ length: parts.length / 2 }, (_, i) => parts.slice(2 * i, 2 * i + 2));
}

async function problemsOf(device, [name, code]) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: name } });
  const error = await device.popErrorScope();
  return [...messages.map(({ message }) => message), ...(error === null ? [] : [error.message])];
}

const LIBRARIES = {
  model: [],
  "model-subgroups": ["subgroups"],
  "model-f16": ["subgroups", "shader-f16"],
};

for (const [library, requiredFeatures] of Object.entries(LIBRARIES)) {
  test(`${library} is valid with ${requiredFeatures.join(" and ") || "no features"}`, async () => {
    const adapter = await gpu.requestAdapter();
    const device = await adapter.requestDevice({ requiredFeatures });
    const kernels = kernelsOf(library);
    assert.ok(kernels.length > 20, `${kernels.length} kernels`);
    for (const kernel of kernels) assert.deepEqual(await problemsOf(device, kernel), [], kernel[0]);
    device.destroy();
  });
}

test("model-f16 is not valid without shader-f16", async () => {
  const adapter = await gpu.requestAdapter();
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
  const gemm = kernelsOf("model-f16").find(([name]) => name === "gemm");
  assert.notDeepEqual(await problemsOf(device, gemm), []);
  device.destroy();
});
