// One compiled model for every version of WebLLM that speaks the TVM FFI.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { closeBrowsers, launchBrowser, packages } from "./browser.mjs";
import { continued, rendered, webDemo } from "./carat.mjs";
import { openEngine } from "./engine_page.mjs";

const MESSAGES = [{ role: "user", content: "Sort these words from A to Z: river apple stone" }];

const versions = readdirSync(packages)
  .filter((name) => name.startsWith("web-llm-"))
  .map((name) => name.slice("web-llm-".length));

let browser, expected;

before(async () => {
  browser = await launchBrowser();
  expected = await continued(rendered(MESSAGES));
});

after(closeBrowsers);

test("there are versions to try", () => assert.ok(versions.length >= 7, versions.join()));

for (const version of versions) {
  test(`WebLLM ${version} loads the model and answers as the CPU does`, async () => {
    const opened = await openEngine(browser, webDemo, { version });
    const text = await opened.page.evaluate((messages) => window.ask({ messages }), MESSAGES);
    assert.equal(text, expected.text);
    await opened.close();
  });
}
