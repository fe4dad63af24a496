// Runs the kernel cases of a folder (tests/compiler/codegen/webgpu/kernel_case.h) in Chromium, each
// a test of its own: `CASES=FOLDER node --test run_cases.mjs`.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { launchBrowser, openPage } from "../web/browser.mjs";

const folder = process.env.CASES;
const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
// WebGPU is for secure contexts, which localhost is; nothing listens there.
const ORIGIN = "http://localhost";

let browser;
let tab;
before(async () => {
  browser = await launchBrowser();
  tab = await openPage(browser);
  await tab.page.route("**/*", answer);
  await tab.page.goto(`${ORIGIN}/`);
});
after(async () => {
  try {
    await tab.close(); // fails if anything was said on the console
  } finally {
    await browser.close();
  }
});

/** Answers the page's requests: an empty document, run_case.mjs and the cases. */
function answer(route) {
  const name = path.basename(new URL(route.request().url()).pathname);
  if (name === "") return route.fulfill({ contentType: "text/html", body: "" });
  const isModule = name.endsWith(".mjs");
  return route.fulfill({
    contentType: isModule ? "text/javascript" : "application/octet-stream",
    path: path.join(isModule ? import.meta.dirname : folder, name),
  });
}

test("there are cases", () => assert.notEqual(files.length, 0));

for (const file of files.sort()) {
  const { name } = JSON.parse(readFileSync(path.join(folder, file), "utf8"));
  test(name, { timeout: 120_000 }, async () => {
    const problems = await tab.page.evaluate(async (url) => {
      const { runCase } = await import("/run_case.mjs");
      return runCase(url);
    }, `/${path.basename(file, ".json")}`);
    assert.deepEqual(problems, []);
  });
}
