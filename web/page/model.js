// The model that the server offers, loaded into a worker of its own.

import { Problem, gpuMissing, gpuProblem, loadProblem } from "./problems.js";

/**
 * What /models.json says of a model, with addresses made absolute; carat/server/web_site.h has the
 * format.
 */
export async function findModel() {
  const address = new URL("models.json", location.href);
  const response = await fetch(address);
  const [model] = (await response.json()).models;
  return {
    ...model,
    model: new URL(model.model, address).href,
    libraries: model.libraries.map((library) => ({
      ...library,
      model_lib: new URL(library.model_lib, address).href,
    })),
  };
}

/** The first, which is the best, of the model's libraries that this GPU can run. */
export async function chooseLibrary(model) {
  if (!navigator.gpu) throw gpuMissing();
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw gpuMissing();
  return model.libraries.find(({ required_features }) =>
    required_features.every((feature) => adapter.features.has(feature)),
  );
}

/** Removes what other models that were once at this address have left in the browser's storage. */
async function forgetOtherModels(model) {
  const models = new URL("model/", location.href).href;
  for (const name of await caches.keys()) {
    if (!name.startsWith("webllm/")) continue;
    const cache = await caches.open(name);
    for (const { url } of await cache.keys()) {
      if (url.startsWith(models) && !url.startsWith(model.model)) await cache.delete(url);
    }
  }
}

/** The model's file that the server does not give, or undefined. */
async function findMissingFile(model, library) {
  const main = new URL("resolve/main/", model.model);
  const files = ["mlc-chat-config.json", "tokenizer.json", "tensor-cache.json"];
  const addresses = [library.model_lib, ...files.map((file) => new URL(file, main).href)];
  const isMissing = async (address) => !(await fetch(address, { method: "HEAD" })).ok;
  for (const address of addresses) if (await isMissing(address)) return address;
  const index = await (await fetch(new URL("tensor-cache.json", main))).json();
  for (const { dataPath } of index.records) {
    const shard = new URL(dataPath, main).href;
    if (await isMissing(shard)) return shard;
  }
  return undefined;
}

/**
 * A worker with the model in it.
 *
 * @param model what findModel() returns
 * @param onProgress called with WebLLM's reports: {progress, text}
 * @return {engine, broken, close}: WebLLM's engine, a promise that is rejected with a Problem when
 *     the engine is of no use any more, and how to be rid of it
 */
export async function loadModel(model, onProgress) {
  const library = await chooseLibrary(model);
  await forgetOtherModels(model);
  const { CreateWebWorkerMLCEngine } = await import("./web-llm.js");
  const worker = new Worker(new URL("engine-worker.js", import.meta.url), { type: "module" });
  const broken = new Promise((_, reject) => watchWorker(worker, reject));
  const loading = CreateWebWorkerMLCEngine(worker, model.model_id, {
    appConfig: { model_list: [{ model_id: model.model_id, model: model.model, ...library }] },
    initProgressCallback: onProgress,
    logLevel: "WARN",
  });
  try {
    const engine = await Promise.race([loading, broken]);
    return { engine, broken, close: () => worker.terminate() };
  } catch (error) {
    worker.terminate();
    if (error instanceof Problem) throw error;
    throw loadProblem(error, await findMissingFile(model, library).catch(() => undefined));
  }
}

/** Calls `fail` with a Problem when the worker cannot go on. Has to come before WebLLM listens. */
function watchWorker(worker, fail) {
  worker.addEventListener("message", (event) => {
    if (event.data?.kind !== "gpu-problem") return;
    event.stopImmediatePropagation();
    fail(gpuProblem(event.data));
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    fail(loadProblem(event.message ?? "the worker did not start"));
  });
}
