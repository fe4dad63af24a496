// What goes wrong, in words: what it is, what to do, and what the browser said.

/** An error that the page shows as it is. */
export class Problem extends Error {
  constructor(title, advice, detail = "") {
    super(title);
    this.advice = advice;
    this.detail = String(detail);
  }
}

const HOW_TO_COMPILE = "carat compile MODEL --device webgpu -o DIR";

/** What to do for WebGPU, which depends on the browser. */
function gpuAdvice(userAgent) {
  if (/Firefox\//.test(userAgent)) {
    return (
      "Firefox has WebGPU on Windows since version 141 and on Macs with Apple silicon since 145. " +
      "Elsewhere set dom.webgpu.enabled to true in about:config, or take Chrome or Edge."
    );
  }
  if (/Safari\//.test(userAgent) && !/Chrom(e|ium)\//.test(userAgent)) {
    return "Safari has WebGPU since version 26. Update the system, or take Chrome or Edge.";
  }
  if (/Android/.test(userAgent)) {
    return "Chrome has WebGPU on Android 12 and later since version 121. Update the browser.";
  }
  if (/Linux/.test(userAgent)) {
    return (
      "Open chrome://gpu: the line WebGPU says whether it is on. On Linux it may have to be " +
      "switched on: set chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan to " +
      "Enabled and start the browser again. It needs a driver for the GPU that has Vulkan."
    );
  }
  return (
    "Chrome and Edge have WebGPU since version 113. Update the browser, and see that its " +
    "settings allow graphics acceleration; chrome://gpu says more."
  );
}

export function gpuMissing() {
  if (!isSecureContext) {
    const local = `http://localhost:${location.port}/`;
    return new Problem(
      "This address may not use the GPU",
      `Browsers give WebGPU only to pages from this machine or over https. Here: ${local}`,
    );
  }
  return new Problem(
    "This browser has no WebGPU here",
    `The model runs on the GPU, by WebGPU. ${gpuAdvice(navigator.userAgent)}`,
    navigator.userAgent,
  );
}

/** @param report what engine-worker.js posts */
export function gpuProblem({ reason, message }) {
  if (reason === "out-of-memory") return outOfMemory(message);
  if (reason === "lost") {
    return new Problem(
      "The GPU is gone",
      "The browser took it away: its driver was restarted, the machine slept, or its memory was " +
        "used up. Try again loads the model once more; the conversation is kept on the page.",
      message,
    );
  }
  return new Problem(
    "The GPU refused a step",
    "What comes after it would be wrong. Try again loads the model once more.",
    message,
  );
}

function outOfMemory(detail) {
  return new Problem(
    "Out of GPU memory",
    "Close other tabs and programs that use the GPU, then try again. A shorter context takes " +
      "less: carat compile has --context-window-size.",
    detail,
  );
}

/**
 * @param error what loading ended with; WebLLM's worker gives text
 * @param missing the address of a file that the server lacks, if that is why
 */
export function loadProblem(error, missing) {
  const detail = String(error);
  if (missing !== undefined) {
    return new Problem(
      "A file of the model is missing",
      `The server does not give ${missing}. Compile the model again, and start carat web again:\n` +
        HOW_TO_COMPILE,
      detail,
    );
  }
  if (/out of memory|OutOfMemory|DeviceLost/i.test(detail)) return outOfMemory(detail);
  if (/Quota/i.test(detail)) {
    return new Problem(
      "The browser's storage is full",
      "The weights are kept there. Make room on the disk, or delete other sites' data.",
      detail,
    );
  }
  if (
    /Cannot initialize runtime because of requested|Unable to find a compatible GPU/.test(detail)
  ) {
    return new Problem(
      "This GPU offers less than the model needs",
      "Another browser, a newer driver or another GPU may offer more.",
      detail,
    );
  }
  return new Problem(
    "The model could not be loaded",
    "See that carat web still runs, and try again. If it stays, compile the model again:\n" +
      HOW_TO_COMPILE,
    detail,
  );
}

/** Why an answer ended early, in one line. */
export function answerProblem(error) {
  const detail = String(error?.message ?? error);
  if (/ContextWindowSizeExceeded/.test(detail)) {
    return "The conversation no longer fits the model's context. New chat begins another one.";
  }
  return detail;
}
