// A plain static file server, which is all that a compiled model needs.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

const TYPES = { ".js": "text/javascript", ".html": "text/html", ".wasm": "application/wasm" };

/**
 * Serves folders and texts under paths of one address.
 *
 * @param mounts {"/demo/": folder, "/worker.js": {text: "..."}}
 * @return {url, requests, close}: requests are the paths that were asked for
 */
export async function serve(mounts) {
  const requests = [];
  const find = async (requested) => {
    for (const [prefix, mount] of Object.entries(mounts)) {
      if (typeof mount !== "string") {
        if (requested === prefix) return mount.text;
      } else if (requested.startsWith(prefix)) {
        return readFile(path.join(mount, path.normalize(requested.slice(prefix.length))));
      }
    }
    throw new Error("not mounted");
  };
  const server = createServer(async (request, response) => {
    const requested = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    requests.push(requested);
    try {
      const content = await find(requested);
      const type = TYPES[path.extname(requested)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://localhost:${server.address().port}`,
    requests,
    close: () => server.close(),
  };
}
