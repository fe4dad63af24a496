// The program `carat`, for tests in JavaScript.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const program = process.env.CARAT_PROGRAM;

// The demo compiled for the browser, and from the same weights for the CPU (CTest's fixtures).
export const webDemo = process.env.CARAT_WEB_DEMO;
export const cpuDemo = process.env.CARAT_CPU_DEMO;
export const checkpoint = path.resolve(import.meta.dirname, "../../models/demo");

/** carat <words>, to its end; what it printed. */
export async function carat(...words) {
  return (await promisify(execFile)(program, words, { maxBuffer: 1 << 24 })).stdout;
}

/** `carat web` on a free port: its address, and how to end it, which gives the exit code. */
export async function startWeb(folder) {
  const process = spawn(program, ["web", folder, "--port", "0"]);
  process.stderr.on("data", (text) => console.error(`carat web: ${text}`));
  let printed = "";
  for await (const text of process.stdout) {
    printed += text;
    const address = /http:\S+/.exec(printed);
    if (address === null) continue;
    process.stdout.resume();
    return {
      url: address[0],
      async stop() {
        const ended = once(process, "exit");
        process.kill("SIGINT");
        return (await ended)[0];
      },
    };
  }
  throw new Error("carat web ended before it served");
}

/** A conversation as Gemma is given it, up to the answer; without <bos>. */
export function rendered(messages) {
  const turns = messages.map(({ role, content }) => {
    return `<start_of_turn>${role === "assistant" ? "model" : role}\n${content}<end_of_turn>\n`;
  });
  return turns.join("") + "<start_of_turn>model\n";
}

/** What the CPU continues `prompt` by, always taking the likeliest token: {text, tokens, ...}. */
export async function continued(prompt, ...flags) {
  const words = ["--raw", "--temperature", "0", "--json", "--prompt", prompt, ...flags];
  return JSON.parse(await carat("generate", cpuDemo, ...words));
}

/** The demo's questions: {task, messages, answer}. */
export function questions() {
  const lines = readFileSync(path.join(checkpoint, "tasks.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => {
    const { task, prompt, messages, answer } = JSON.parse(line);
    return { task, messages: messages ?? [{ role: "user", content: prompt }], answer };
  });
}

/** The first `count` questions of each kind. */
export function questionsOfEachKind(count) {
  const kinds = Map.groupBy(questions(), ({ task }) => task);
  return [...kinds.values()].flatMap((ofKind) => ofKind.slice(0, count));
}
