// The settings dialog. What is set is kept in the browser; what is not is the model's own.

const KEY = "carat-settings";
const NUMBERS = ["temperature", "top_p", "max_tokens"];

export class Settings {
  #dialog = document.getElementById("settings");
  #form = this.#dialog.querySelector("form");
  #saved = {};

  constructor() {
    try {
      this.#saved = JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      // Storage that is switched off, or what another page left there: the defaults.
    }
    document.getElementById("open-settings").addEventListener("click", () => this.#open());
    document
      .getElementById("cancel-settings")
      .addEventListener("click", () => this.#dialog.close());
    document.getElementById("default-settings").addEventListener("click", () => {
      for (const field of this.#form.querySelectorAll("input, textarea")) field.value = "";
    });
    this.#form.addEventListener("submit", () => this.#save());
  }

  /** Shows in empty fields what the model comes with (mlc-chat-config.json). */
  setDefaults({ temperature, top_p, context_window_size }) {
    const { elements } = this.#form;
    elements.temperature.placeholder = temperature;
    elements.top_p.placeholder = top_p;
    elements.max_tokens.placeholder = "no limit";
    elements.max_tokens.max = context_window_size;
  }

  /** The part of a chat completion request that is set: {temperature: 0.7}. */
  get sampling() {
    const set = NUMBERS.filter((name) => this.#saved[name] !== undefined);
    return Object.fromEntries(set.map((name) => [name, this.#saved[name]]));
  }

  get systemPrompt() {
    return this.#saved.system_prompt ?? "";
  }

  #open() {
    const { elements } = this.#form;
    elements.system_prompt.value = this.systemPrompt;
    for (const name of NUMBERS) elements[name].value = this.#saved[name] ?? "";
    this.#dialog.showModal();
  }

  #save() {
    const { elements } = this.#form;
    this.#saved = {};
    const prompt = elements.system_prompt.value.trim();
    if (prompt !== "") this.#saved.system_prompt = prompt;
    for (const name of NUMBERS) {
      if (elements[name].value !== "") this.#saved[name] = elements[name].valueAsNumber;
    }
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#saved));
    } catch {
      // They hold until the page is left.
    }
  }
}
