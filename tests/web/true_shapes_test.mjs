// Gemma 3 270M's shapes with random weights, in the browser as on the CPU.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

import { closeBrowsers, launchBrowser } from "./browser.mjs";
import { carat, rendered } from "./carat.mjs";
import { openEngine } from "./engine_page.mjs";

const MESSAGES = [{ role: "user", content: "Hello" }];
const NUM_TOKENS = 8;

after(closeBrowsers);

test("270M's shapes give the CPU's tokens, within the limits of every adapter", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "carat-270m-"));
  try {
    const [checkpoint, web] = ["checkpoint", "web"].map((name) => path.join(folder, name));
    await carat("fixture", "gemma-3-270m", "-o", checkpoint);
    await carat("compile", checkpoint, "--device", "webgpu", "-o", web);
    await rm(checkpoint, { recursive: true });
    const cpu = path.join(folder, "cpu");
    await carat("compile", web, "-o", cpu);
    const flags = ["--raw", "--temperature", "0", "--json", "--max-tokens", `${NUM_TOKENS}`];
    flags.push("--prompt", rendered(MESSAGES));
    const expected = JSON.parse(await carat("generate", cpu, ...flags));

    const browser = await launchBrowser();
    const { page, close } = await openEngine(browser, web, { onPage: recordBufferSizes });
    const { text, largest } = await page.evaluate(
      async (request) => ({ text: await window.ask(request), largest: window.largestBuffer }),
      { messages: MESSAGES, max_tokens: NUM_TOKENS },
    );
    await close();
    assert.equal(text, expected.text);
    assert.ok(largest > 80e6, `the embedding has 84 MB, the largest buffer ${largest}`);
    assert.ok(largest <= 128 * 2 ** 20, `a buffer has ${largest} bytes`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** In the page, before its scripts. */
function recordBufferSizes() {
  window.largestBuffer = 0;
  const createBuffer = GPUDevice.prototype.createBuffer;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    window.largestBuffer = Math.max(window.largestBuffer, descriptor.size);
    return createBuffer.call(this, descriptor);
  };
}
