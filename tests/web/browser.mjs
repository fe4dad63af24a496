// A browser for the tests: Debian's Chromium, with WebGPU in software, so that no GPU is needed.
//
// Whatever a page says on its console as a warning or an error, every request that fails and every
// one to another host is a failure of the test, unless the test takes it back (expectComplaints).

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

// The packages of tests/web/package-lock.json, which CTest installs into the build folder.
export const packages = path.join(process.env.CARAT_WEB_PACKAGES, "node_modules");
const { chromium } = createRequire(packages)("playwright-core");

const ALWAYS = [
  "--no-sandbox", // as root, which tests in containers are
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-dev-shm-usage",
];
const SOFTWARE_GPU = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  // Zeroes workgroup memory by a loop: the extension has SwiftShader compile a store for each word of
  // it, which takes most of the time that a page takes to load.
  "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
];

function findProgram(name) {
  const found = process.env.PATH.split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find(existsSync);
  if (found === undefined) throw new Error(`there is no ${name}: tools/install-dependencies tests`);
  return found;
}

const launched = [];

/** Chromium, with a GPU in software or with none that pages may use. */
export async function launchBrowser({ hasGpu = true } = {}) {
  const browser = await chromium.launch({
    executablePath: findProgram("chromium-headless-shell"),
    args: [...ALWAYS, ...(hasGpu ? SOFTWARE_GPU : [])],
  });
  launched.push(browser);
  return browser;
}

/** Ends them all, whatever has failed; for after(). */
export async function closeBrowsers() {
  for (const browser of launched.splice(0)) await browser.close();
}

/**
 * A page in a context of its own, whose storage is empty.
 *
 * @param options Playwright's of a context: {colorScheme, viewport}
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const complaints = [];
  const isComplaint = (type) => type === "error" || type === "warning" || type === "assert";
  page.on("console", (message) => {
    if (isComplaint(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.stack ?? error}`));
  page.on("requestfailed", (request) => {
    complaints.push(`failed: ${request.url()}: ${request.failure()?.errorText}`);
  });
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const isOwn = ["127.0.0.1", "localhost"].includes(hostname);
    if (/^(https?|wss?):$/.test(protocol) && !isOwn) complaints.push(`external: ${request.url()}`);
  });
  context.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  return {
    page,
    /** Forgets what has gone wrong so far, of which there must be something. */
    expectComplaints() {
      assert.notEqual(complaints.length, 0, "the browser complained of nothing");
      complaints.length = 0;
    },
    /** Closes the page; fails if anything has gone wrong on it. */
    async close() {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  };
}
