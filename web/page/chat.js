// The chat page: loads the model that the server offers, and talks with it.

import { findModel, loadModel } from "./model.js";
import { Problem, answerProblem, loadProblem } from "./problems.js";
import { Settings } from "./settings.js";
import { Transcript } from "./transcript.js";

const element = (id) => document.getElementById(id);

class Chat {
  #settings = new Settings();
  #transcript = new Transcript();
  #messages = []; // of the conversation, without the system prompt
  #loaded; // what loadModel() returns
  #answering; // a promise, while there is an answer to wait for
  #isStopped = false;

  constructor() {
    element("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    element("message").addEventListener("keydown", (event) => {
      // While an input method composes a character, Enter is its own.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !element("settings").open) this.#stop();
    });
    element("stop").addEventListener("click", () => this.#stop());
    element("reset").addEventListener("click", () => this.#reset());
    element("retry").addEventListener("click", () => this.load());
  }

  async load() {
    element("problem").hidden = true;
    element("loading").hidden = false;
    try {
      const model = await findModel();
      element("model-name").textContent = document.title = model.model_id;
      const config = await fetch(new URL("resolve/main/mlc-chat-config.json", model.model));
      if (config.ok) this.#settings.setDefaults(await config.json());
      this.#loaded = await loadModel(model, showProgress);
      this.#loaded.broken.catch((problem) => this.#breakDown(problem));
    } catch (error) {
      this.#breakDown(error instanceof Problem ? error : loadProblem(error));
      return;
    }
    element("loading").hidden = true;
    if (this.#messages.length === 0) this.#transcript.clear();
    this.#enable(true);
    element("message").focus();
  }

  /** The engine is of no use any more, or never was. */
  #breakDown(problem) {
    this.#loaded?.close();
    this.#loaded = undefined;
    this.#enable(false);
    element("loading").hidden = true;
    element("empty").hidden = true;
    element("problem-title").textContent = problem.message;
    element("problem-advice").textContent = problem.advice;
    element("problem-detail").textContent = problem.detail;
    element("problem").querySelector("details").hidden = problem.detail === "";
    element("problem").hidden = false;
    element("retry").focus();
  }

  #enable(isReady) {
    for (const id of ["message", "send", "reset"]) element(id).disabled = !isReady;
  }

  #send() {
    const text = element("message").value.trim();
    if (text === "" || !this.#loaded || this.#answering) return;
    element("message").value = "";
    this.#answering = this.#answer(text).finally(() => (this.#answering = undefined));
  }

  async #answer(question) {
    this.#isStopped = false;
    this.#transcript.addQuestion(question);
    const shown = this.#transcript.addAnswer();
    this.#showBusy(true);
    const messages = [...this.#messages, { role: "user", content: question }];
    const { engine, broken } = this.#loaded;
    const request = {
      messages: this.#withSystemPrompt(messages),
      stream: true,
      stream_options: { include_usage: true },
      ...this.#settings.sampling,
    };
    try {
      let answer = "";
      let finish, usage;
      const chunks = await engine.chat.completions.create(request);
      for await (const chunk of unlessRejected(chunks, broken)) {
        const piece = chunk.choices[0]?.delta.content ?? "";
        answer += piece;
        if (piece !== "") shown.append(piece);
        finish = chunk.choices[0]?.finish_reason ?? finish;
        usage = chunk.usage ?? usage;
      }
      shown.finish(describe(finish, usage));
      this.#messages = [...messages, { role: "assistant", content: answer }];
    } catch (error) {
      shown.fail(answerProblem(error));
    } finally {
      this.#showBusy(false);
    }
  }

  #withSystemPrompt(messages) {
    const { systemPrompt } = this.#settings;
    return systemPrompt === ""
      ? messages
      : [{ role: "system", content: systemPrompt }, ...messages];
  }

  #stop() {
    if (!this.#answering || this.#isStopped) return;
    this.#isStopped = true;
    this.#loaded?.engine.interruptGenerate();
  }

  async #reset() {
    this.#stop();
    await this.#answering;
    if (!this.#loaded) return;
    // Until it is done, no question can be sent that would be answered and then forgotten.
    this.#enable(false);
    this.#messages = [];
    this.#transcript.clear();
    try {
      await this.#loaded.engine.resetChat();
    } catch (error) {
      this.#transcript.addAnswer().fail(answerProblem(error));
    }
    this.#enable(true);
    element("status").textContent = "New conversation";
    element("message").focus();
  }

  #showBusy(isBusy) {
    element("send").hidden = isBusy;
    element("stop").hidden = !isBusy;
    element("status").textContent = isBusy ? "Answering" : "";
  }
}

/** What `stream` gives, until `broken` is rejected: WebLLM's never end once their worker has. */
async function* unlessRejected(stream, broken) {
  const iterator = stream[Symbol.asyncIterator]();
  while (true) {
    const { done, value } = await Promise.race([iterator.next(), broken]);
    if (done) return;
    yield value;
  }
}

/** "12 tokens, 8.4 tokens/s", and why it ended where that is not by itself. */
function describe(finish, usage) {
  const parts = [];
  if (usage) {
    const speed = usage.extra?.decode_tokens_per_s;
    parts.push(`${usage.completion_tokens} token${usage.completion_tokens === 1 ? "" : "s"}`);
    if (Number.isFinite(speed)) parts.push(`${speed.toFixed(1)} tokens/s`);
  }
  if (finish === "abort") parts.push("stopped");
  if (finish === "length") parts.push("max tokens or the context's end reached");
  return parts.join(", ");
}

/** WebLLM's reports, of which it counts each half from 0 to 1, in fewer words. */
function showProgress({ progress, text }) {
  const isOfShaders = /shader/i.test(text);
  const isLast = text.startsWith("Finish");
  const done = isLast ? 1 : (progress + (isOfShaders ? 1 : 0)) / 2;
  const phase = isOfShaders || isLast ? "Preparing the GPU" : "Loading the weights";
  element("progress").value = done;
  element("progress-text").textContent = `${phase}: ${Math.round(done * 100)}%`;
}

new Chat().load();
