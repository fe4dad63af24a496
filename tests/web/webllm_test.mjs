// What applications do with WebLLM, done by the package as npm has it on a model compiled by Carat.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { closeBrowsers, launchBrowser } from "./browser.mjs";
import {
  carat,
  checkpoint,
  continued,
  questions,
  questionsOfEachKind,
  rendered,
  webDemo,
} from "./carat.mjs";
import { openEngine } from "./engine_page.mjs";

const ask = (content) => [{ role: "user", content }];
const FRANCE = ask("What is the capital of France?");
const GREEDY = { temperature: 0, max_tokens: 64 };

let browser, opened, page;

before(async () => {
  browser = await launchBrowser();
  opened = await openEngine(browser, webDemo);
  page = opened.page;
});

after(closeBrowsers);

test("the page complains of nothing, and loads nothing twice", async () => {
  const other = await openEngine(browser, webDemo);
  await other.close();
  const loaded = other.requests.filter((requested) => requested.startsWith("/model/"));
  assert.equal(new Set(loaded).size, loaded.length, loaded.join("\n"));
});

test("greedy answers are those of the CPU, for every kind of question", async (t) => {
  for (const { task, messages } of questionsOfEachKind(2)) {
    await t.test(`${task}: ${messages.at(-1).content.slice(0, 60)}`, async () => {
      const { text } = await continued(rendered(messages), "--max-tokens", "64");
      assert.equal(await page.evaluate((messages) => window.ask({ messages }), messages), text);
    });
  }
});

test("a streamed answer is the answer in pieces", async () => {
  const { whole, pieces, usage } = await page.evaluate(
    async (request) => {
      const whole = await window.ask(request);
      const pieces = [];
      let usage;
      const stream = { ...request, stream: true, stream_options: { include_usage: true } };
      for await (const chunk of await window.engine.chat.completions.create(stream)) {
        pieces.push(chunk.choices[0]?.delta.content ?? "");
        usage = chunk.usage ?? usage;
      }
      return { whole, pieces, usage };
    },
    { ...GREEDY, messages: FRANCE },
  );
  assert.equal(pieces.join(""), whole);
  assert.ok(pieces.filter((piece) => piece !== "").length > 2, pieces.join("|"));
  assert.ok(usage.completion_tokens > 2 && usage.extra.decode_tokens_per_s > 0);
});

test("a conversation goes on where it was", async () => {
  const answers = await page.evaluate(async () => {
    const messages = [];
    const answers = [];
    for (const content of ["My name is Rosa.", "What is 12 plus 30?", "What is my name?"]) {
      messages.push({ role: "user", content });
      answers.push(await window.ask({ messages }));
      messages.push({ role: "assistant", content: answers.at(-1) });
    }
    return answers;
  });
  assert.deepEqual(answers, ["Nice to meet you, Rosa!", "12 plus 30 is 42.", "Your name is Rosa."]);
});

test("a prompt longer than the prefill chunk is read in several", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "carat-web-"));
  try {
    await carat(
      "compile",
      checkpoint,
      "--device",
      "webgpu",
      "-o",
      folder,
      "--prefill-chunk-size",
      "16",
    );
    const chunked = await openEngine(browser, folder);
    const { messages } = questions().find(({ task }) => task === "name_far");
    const { text } = await continued(rendered(messages), "--max-tokens", "64");
    assert.equal(
      await chunked.page.evaluate((messages) => window.ask({ messages }), messages),
      text,
    );
    await chunked.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("an answer ends by itself, or by max_tokens", async () => {
  const reasons = await page.evaluate(async (messages) => {
    const reason = async (max_tokens) => {
      const request = { messages, temperature: 0, max_tokens };
      const { choices, usage } = await window.engine.chat.completions.create(request);
      return [choices[0].finish_reason, usage.completion_tokens];
    };
    return [await reason(64), await reason(3)];
  }, FRANCE);
  assert.equal(reasons[0][0], "stop");
  assert.deepEqual(reasons[1], ["length", 3]);
});

test("logprobs come with each token, the likeliest first", async () => {
  const content = await page.evaluate(
    async (request) => {
      const reply = await window.engine.chat.completions.create(request);
      return reply.choices[0].logprobs.content;
    },
    // At temperature 0 WebLLM says of the likeliest token that nothing else was possible.
    { messages: FRANCE, temperature: 1, top_p: 0.01, logprobs: true, top_logprobs: 3 },
  );
  assert.ok(content.length > 2);
  for (const { token, logprob, top_logprobs } of content) {
    assert.equal(top_logprobs.length, 3);
    assert.deepEqual([top_logprobs[0].token, top_logprobs[0].logprob], [token, logprob]);
    const probabilities = top_logprobs.map((top) => Math.exp(top.logprob));
    assert.deepEqual(
      probabilities,
      probabilities.toSorted((a, b) => b - a),
    );
    assert.ok(probabilities[1] > 0 && probabilities.reduce((a, b) => a + b) < 1.001);
  }
});

test("a JSON schema is kept to, also where the model would say something else", async () => {
  const schema = {
    type: "object",
    properties: { name: { type: "string" }, age: { type: "integer" }, city: { enum: ["Oslo"] } },
    required: ["name", "age", "city"],
    additionalProperties: false,
  };
  const text = await page.evaluate((request) => window.ask(request), {
    messages: ask("Write this as JSON: Victor is 66 years old and lives in Zagreb."),
    response_format: { type: "json_object", schema: JSON.stringify(schema) },
  });
  assert.deepEqual(JSON.parse(text), { name: "Victor", age: 66, city: "Oslo" });
});

test("each penalty changes an answer that repeats itself", async (t) => {
  const { messages } = questions().find(({ task }) => task === "repeat");
  const request = { messages, max_tokens: 32, ignore_eos: true };
  const plain = await page.evaluate((request) => window.ask(request), request);
  for (const penalty of [
    { presence_penalty: 2, frequency_penalty: 0 },
    { presence_penalty: 0, frequency_penalty: 2 },
    { repetition_penalty: 5 },
  ]) {
    await t.test(JSON.stringify(penalty), async () => {
      const text = await page.evaluate((request) => window.ask(request), {
        ...request,
        ...penalty,
      });
      assert.notEqual(text, plain);
    });
  }
});

test("a logit bias forbids a token", async () => {
  const { text, tokens } = await continued(rendered(FRANCE));
  const biased = await page.evaluate((request) => window.ask(request), {
    messages: FRANCE,
    logit_bias: { [tokens[0]]: -100 },
  });
  assert.notEqual(biased.slice(0, 3), text.slice(0, 3));
  const unbiased = { messages: FRANCE, logit_bias: {} };
  assert.equal(await page.evaluate((request) => window.ask(request), unbiased), text);
});

test("a seed gives the same answer again", async () => {
  const texts = await page.evaluate(async (messages) => {
    const texts = [];
    for (const seed of [1, 1, 2, 3, 4, 5]) {
      texts.push(await window.ask({ messages, seed, temperature: 2, top_p: 1, max_tokens: 16 }));
    }
    return texts;
  }, ask("Tell me a story."));
  assert.equal(texts[0], texts[1]);
  assert.ok(new Set(texts).size > 1, texts.join("\n"));
});

test("an answer can be stopped", async () => {
  const { finish, numTokens, next } = await page.evaluate(async (messages) => {
    const { engine } = window;
    const request = { messages, stream: true, ignore_eos: true, max_tokens: 200, temperature: 0 };
    let finish;
    let numTokens = 0;
    for await (const chunk of await engine.chat.completions.create(request)) {
      if (++numTokens === 3) engine.interruptGenerate();
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    return { finish, numTokens, next: await window.ask({ messages }) };
  }, FRANCE);
  assert.equal(finish, "abort");
  assert.ok(numTokens < 50);
  assert.equal(next, "The capital of France is Paris.");
});

test("a text is continued without the chat template", async () => {
  const prompt = "The capital of France is";
  const { text } = await continued(prompt, "--max-tokens", "8");
  const reply = await page.evaluate((request) => window.engine.completions.create(request), {
    prompt: `<bos>${prompt}`,
    temperature: 0,
    max_tokens: 8,
  });
  assert.equal(reply.choices[0].text, text);
});

test("the library with subgroups answers alike, in a worker too", async () => {
  const library = "model-subgroups.wasm"; // SwiftShader has subgroups, and no shader-f16
  const worker = await openEngine(browser, webDemo, { library, isWorker: true });
  const text = await worker.page.evaluate((messages) => window.ask({ messages }), FRANCE);
  assert.equal(text, "The capital of France is Paris.");
  await worker.close();
});

// Last, since there is no model afterwards.
test("the model is loaded again, and let go", async () => {
  const { text, refusal } = await page.evaluate(async (messages) => {
    await window.engine.reload("demo");
    const text = await window.ask({ messages });
    await window.engine.unload();
    const refusal = await window.ask({ messages }).catch((error) => error.name);
    return { text, refusal };
  }, FRANCE);
  assert.equal(text, "The capital of France is Paris.");
  assert.equal(refusal, "ModelNotLoadedError");
  await opened.close();
});
