// The page of `carat web`, used as a person does, on the demo model.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { closeBrowsers, launchBrowser, openPage } from "./browser.mjs";
import { startWeb, webDemo } from "./carat.mjs";

const FRANCE = "What is the capital of France?";
const GREEDY = { temperature: 0 };
const PARIS = "The capital of France is Paris.";

// Loading takes a while where the GPU is software: most tests share a page, each in a new chat.
let browser, web, shared;

before(async () => {
  browser = await launchBrowser();
  web = await startWeb(webDemo);
  shared = await openChat();
});

after(async () => {
  await shared?.close();
  await closeBrowsers();
  assert.equal(await web?.stop(), 0);
});

const answersSoFar = () =>
  [...document.querySelectorAll(".answer")].map((answer) => ({
    text: answer.querySelector("p").textContent,
    note: answer.querySelector("footer").textContent,
    isWhole: answer.getAttribute("aria-busy") === "false",
  }));

/** Waits for the model; fails with what the page says if it cannot be loaded. */
async function untilReady(page) {
  const outcome = await page.waitForFunction(() => {
    if (!document.getElementById("message").disabled) return "ready";
    return document.getElementById("problem").hidden
      ? undefined
      : document.getElementById("problem").textContent;
  });
  assert.equal(await outcome.jsonValue(), "ready");
}

/** The page with the model loaded, always taking the likeliest token. */
async function openChat() {
  const opened = await openPage(browser);
  const { page } = opened;
  await page.addInitScript((settings) => {
    if (!localStorage.getItem("carat-settings")) localStorage.setItem("carat-settings", settings);
  }, JSON.stringify(GREEDY));
  await page.goto(web.url);
  await untilReady(page);
  return opened;
}

/** The shared page, without a conversation. */
async function newChat() {
  const { page } = shared;
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByText("Ask something.").waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("");
  return page;
}

/** Writes and sends; the answers once all are whole. */
async function say(page, text) {
  const before = (await page.evaluate(answersSoFar)).length;
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (before) => document.querySelectorAll('.answer[aria-busy="false"]').length > before,
    before,
  );
  return page.evaluate(answersSoFar);
}

/** The title of the problem that the page shows. */
async function problemOf(page) {
  await page.locator("#problem").waitFor();
  return page.locator("#problem").getByRole("heading").innerText();
}

test("the model is loaded under a progress bar", async (t) => {
  const opened = await openPage(browser);
  const { page } = opened;
  const start = performance.now();
  await page.addInitScript(() => {
    const seen = (window.progressSeen = []);
    new MutationObserver(() => {
      const bar = document.getElementById("progress");
      if (bar && !bar.closest("[hidden]")) seen.push(bar.value);
    }).observe(document, { subtree: true, attributes: true, childList: true });
  });
  await page.goto(web.url);
  await page.getByRole("progressbar", { name: /Starting|Loading|Preparing/ }).waitFor();
  await untilReady(page);
  t.diagnostic(`ready after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const seen = await page.evaluate(() => window.progressSeen);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  assert.equal(seen.at(-1), 1);
  assert.equal(await page.getByRole("progressbar").isVisible(), false);
  await opened.close();
});

test("a conversation needs the keyboard alone", async () => {
  const page = await newChat();
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  let answers = await say(page, "My name is Rosa.");
  assert.equal(answers[0].text, "Nice to meet you, Rosa!");
  answers = await say(page, "What is my name?");
  assert.equal(answers[1].text, "Your name is Rosa.");
  assert.match(answers[1].note, /^\d+ tokens, \d+\.\d tokens\/s$/);
});

test("Shift+Enter begins a line", async () => {
  const page = await newChat();
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "one\ntwo");
  assert.equal((await page.evaluate(answersSoFar)).length, 0);
});

test("an answer grows as it is made", async () => {
  const page = await newChat();
  await page.evaluate(() => {
    window.lengths = [];
    new MutationObserver(() => {
      window.lengths.push(document.querySelector(".answer p")?.textContent.length ?? 0);
    }).observe(document.getElementById("transcript"), { subtree: true, childList: true });
  });
  const [{ text }] = await say(page, FRANCE);
  assert.equal(text, PARIS);
  const lengths = await page.evaluate(() => [...new Set(window.lengths)]);
  assert.deepEqual(
    lengths,
    lengths.toSorted((a, b) => a - b),
  );
  assert.ok(lengths.length > 3, lengths.join());
});

for (const [how, stop] of [
  ["Escape", (page) => page.keyboard.press("Escape")],
  ["the Stop button", (page) => page.getByRole("button", { name: "Stop" }).dispatchEvent("click")],
]) {
  test(`${how} stops an answer, and the next one comes`, async () => {
    const page = await newChat();
    await page.keyboard.type("Repeat after me: " + "river apple stone ".repeat(20));
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector(".answer p")?.textContent.length > 0);
    await stop(page);
    await page.locator('.answer[aria-busy="false"]').waitFor();
    const [{ note }] = await page.evaluate(answersSoFar);
    assert.match(note, /stopped/);
    await page.getByRole("textbox", { name: "Message" }).focus();
    assert.notEqual((await say(page, FRANCE))[1].text, "");
  });
}

test("New chat forgets the conversation", async () => {
  const page = await newChat();
  await say(page, "My name is Rosa.");
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByText("Ask something.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  assert.equal(await page.getByRole("log").innerText(), "");
  const [{ text }] = await say(page, "What is my name?");
  assert.doesNotMatch(text, /Rosa/);
});

test("settings are used, and kept", async () => {
  const page = await newChat();
  const open = () => page.getByRole("button", { name: "Settings" }).click();
  const maxTokens = page.getByRole("spinbutton", { name: "Max tokens" });
  await open();
  await page.getByRole("spinbutton", { name: "Temperature" }).fill("0");
  await maxTokens.fill("3");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("textbox", { name: "Message" }).focus();
  const [{ note }] = await say(page, FRANCE);
  assert.match(note, /^3 tokens, .*max tokens/);
  await open();
  assert.equal(await maxTokens.inputValue(), "3");
  await maxTokens.fill("0");
  await page.getByRole("button", { name: "Save" }).click();
  assert.equal(await page.getByRole("dialog").isVisible(), true, "0 tokens are refused");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("dialog").isVisible(), false);
  assert.deepEqual(await page.evaluate(() => JSON.parse(localStorage.getItem("carat-settings"))), {
    temperature: 0,
    max_tokens: 3,
  });
  await open();
  await maxTokens.fill("");
  await page.getByRole("button", { name: "Save" }).click();
});

test("every control has a name, and Tab reaches them in order", async () => {
  const page = await newChat();
  const names = [];
  await page.getByRole("button", { name: "New chat" }).focus();
  for (let i = 0; i < 5; ++i) {
    names.push(
      await page.evaluate(() => {
        const { activeElement: element } = document;
        return element.getAttribute("aria-label") ?? element.textContent;
      }),
    );
    await page.keyboard.press("Tab");
  }
  assert.deepEqual(names, ["New chat", "Settings", "Conversation", "Message", "Send"]);
  assert.equal(await page.getByRole("log").getAttribute("aria-live"), "polite");
  assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, textarea")]
      .filter((control) => !control.ariaLabel && !control.labels?.length && !control.textContent)
      .map((control) => control.outerHTML),
  );
  assert.deepEqual(unnamed, []);
});

for (const colorScheme of ["light", "dark"]) {
  test(`text stands out from its ground (${colorScheme})`, async () => {
    const page = await newChat();
    await page.emulateMedia({ colorScheme });
    await say(page, FRANCE);
    const contrasts = await page.evaluate(contrastsOfTexts);
    assert.ok(contrasts.length > 5);
    for (const { text, ratio } of contrasts) assert.ok(ratio >= 4.5, `${ratio}: ${text}`);
  });
}

/** In the page: WCAG's contrast ratio of each text that is shown. */
function contrastsOfTexts() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color)
      .map((channel) => channel / 255)
      .map((channel) =>
        channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4,
      );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return channels(color)[3] === 0 ? ground(element.parentElement) : color;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { parentElement: element, data } = texts.currentNode;
    if (data.trim() === "" || !element.checkVisibility()) continue;
    const [ink, paper] = [getComputedStyle(element).color, ground(element)].map(luminance);
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    found.push({ text: data.trim(), ratio });
  }
  return found;
}

test("the page fits a phone", async () => {
  const page = await newChat();
  await page.setViewportSize({ width: 360, height: 640 });
  await say(page, "x".repeat(100));
  await page.getByRole("button", { name: "Settings" }).click();
  const sizes = await page.evaluate(() => {
    const touched = [...document.querySelectorAll("button")].filter((b) => b.checkVisibility());
    return {
      width: document.scrollingElement.scrollWidth,
      transcript: document.getElementById("transcript").scrollWidth,
      dialog: document.getElementById("settings").getBoundingClientRect().right,
      smallest: Math.min(...touched.map((button) => button.getBoundingClientRect().height)),
    };
  });
  assert.ok(
    sizes.width <= 360 && sizes.transcript <= 360 && sizes.dialog <= 360,
    JSON.stringify(sizes),
  );
  assert.ok(sizes.smallest >= 40, JSON.stringify(sizes));
  await page.keyboard.press("Escape");
});

test("a browser without WebGPU is told what to do", async () => {
  const without = await launchBrowser({ hasGpu: false });
  const opened = await openPage(without);
  await opened.page.goto(web.url);
  assert.equal(await problemOf(opened.page), "This browser has no WebGPU here");
  assert.match(await opened.page.locator("#problem-advice").innerText(), /chrome:\/\/gpu/);
  assert.equal(await opened.page.evaluate(() => document.activeElement.id), "retry");
  opened.expectComplaints(); // Chromium's own: "No available adapters."
  await opened.close();
});

// SwiftShader has subgroups, and no shader-f16.
for (const file of ["model-subgroups.wasm", "params_shard_0.bin", "mlc-chat-config.json"]) {
  test(`a server without ${file} is told of`, async () => {
    const opened = await openPage(browser);
    const { page } = opened;
    await page.context().route(`**/${file}`, (route) => route.fulfill({ status: 404 }));
    await page.goto(web.url);
    assert.equal(await problemOf(page), "A file of the model is missing");
    const advice = await page.locator("#problem-advice").innerText();
    assert.ok(advice.includes(`${file}.`) && advice.includes("carat compile"), advice);
    opened.expectComplaints();
    await opened.close();
  });
}

test("a GPU that is lost is told of, and the conversation goes on", async () => {
  const opened = await openPage(browser);
  const { page } = opened;
  await page.addInitScript(() => localStorage.setItem("carat-settings", '{"temperature": 0}'));
  await page.context().route("**/engine-worker.js", async (route) => {
    const response = await route.fetch();
    const capture = `
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (...words) {
        return (self.device = await requestDevice.apply(this, words));
      };`;
    await route.fulfill({
      response,
      body: (await response.text()).replace("\nconst handler", `${capture}\n$&`),
    });
  });
  await page.goto(web.url);
  await untilReady(page);
  await say(page, "My name is Rosa.");
  await page.workers()[0].evaluate(() => self.device.destroy());
  assert.equal(await problemOf(page), "The GPU is gone");
  opened.expectComplaints();
  await page.getByRole("button", { name: "Try again" }).click();
  await untilReady(page);
  assert.equal((await say(page, "What is my name?"))[1].text, "Your name is Rosa.");
  await opened.close();
});

test("what another model left at this address is removed", async () => {
  const { page } = shared;
  const stale = `${web.url}model/0123/resolve/main/params_shard_0.bin`;
  await page.evaluate(async (stale) => {
    await (await caches.open("webllm/model")).put(stale, new Response("old"));
  }, stale);
  await page.reload();
  await untilReady(page);
  const kept = await page.evaluate(async () => {
    const requests = await (await caches.open("webllm/model")).keys();
    return requests.map(({ url }) => url);
  });
  assert.ok(kept.length > 0 && !kept.includes(stale), kept.join());
});
