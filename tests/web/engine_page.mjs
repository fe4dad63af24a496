// A page on which an unmodified WebLLM has loaded a compiled model: in it `webllm` is the package,
// `engine` the engine and `ask(request)` an answer's text.

import path from "node:path";

import { openPage, packages } from "./browser.mjs";
import { serve } from "./static_server.mjs";

const NEWEST = "0.2.86";

const WORKER = `
import { WebWorkerMLCEngineHandler } from "/web-llm/index.js";
const handler = new WebWorkerMLCEngineHandler();
self.onmessage = (event) => handler.onmessage(event);
`;

/**
 * @param folder the model, as carat compile --device webgpu has written it
 * @param options version: WebLLM's; library: the file in it; isWorker: the engine is in a worker;
 *   onPage: runs in the page before its scripts
 * @return what openPage gives, with `requests`, the paths that were loaded
 */
export async function openEngine(
  browser,
  folder,
  { version = NEWEST, library = "model.wasm", isWorker = false, onPage } = {},
) {
  const server = await serve({
    "/index.html": { text: '<!doctype html><link rel="icon" href="data:,">' },
    "/worker.js": { text: WORKER },
    "/web-llm/": path.join(packages, `web-llm-${version}`, "lib"),
    "/model/": folder,
  });
  const opened = await openPage(browser);
  if (onPage !== undefined) await opened.page.addInitScript(onPage);
  await opened.page.goto(`${server.url}/index.html`);
  await opened.page.evaluate(loadEngine, { library, isWorker });
  return {
    ...opened,
    requests: server.requests,
    async close() {
      server.close();
      await opened.close();
    },
  };
}

/** In the page. */
async function loadEngine({ library, isWorker }) {
  const webllm = await import("/web-llm/index.js");
  const config = {
    appConfig: {
      model_list: [
        {
          model_id: "demo",
          model: `${location.origin}/model/`,
          model_lib: `${location.origin}/model/${library}`,
        },
      ],
    },
  };
  const engine = isWorker
    ? await webllm.CreateWebWorkerMLCEngine(
        new Worker("/worker.js", { type: "module" }),
        "demo",
        config,
      )
    : await webllm.CreateMLCEngine("demo", config);
  const ask = async (request) => {
    const reply = await engine.chat.completions.create({
      temperature: 0,
      max_tokens: 64,
      ...request,
    });
    return reply.choices[0].message.content;
  };
  Object.assign(window, { webllm, engine, ask });
}
