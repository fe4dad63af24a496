// The thread on which WebLLM runs, so that the page stays responsive. It also says what WebLLM only
// logs, that the GPU is gone or out of memory: {kind: "gpu-problem", reason, message}.

import { WebWorkerMLCEngineHandler } from "./web-llm.js";

/** Reports what becomes of each device that WebLLM asks for. */
function watchDevices() {
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...descriptor) {
    const device = await requestDevice.apply(this, descriptor);
    device.lost.then(({ message }) => {
      postMessage({ kind: "gpu-problem", reason: "lost", message });
    });
    device.addEventListener("uncapturederror", ({ error }) => {
      const reason = error instanceof GPUOutOfMemoryError ? "out-of-memory" : "error";
      postMessage({ kind: "gpu-problem", reason, message: error.message });
    });
    return device;
  };
}

if (self.GPUAdapter !== undefined) watchDevices();
const handler = new WebWorkerMLCEngineHandler();
self.onmessage = (event) => handler.onmessage(event);
