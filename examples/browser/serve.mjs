/**
 * A small static server for these pages. It listens on loopback only, answers GET and HEAD with files and nothing else.
 *
 *     node examples/browser/serve.mjs [--port 8080] [--isolated] [--no-wasm] [--mount /models=FOLDER]…
 *
 * --isolated   sends the two headers without which a page has no shared memory, and so no threads
 * --no-wasm    sends a content security policy that refuses WebAssembly
 * --mount      serves a folder or a file from elsewhere, under a path of its own; the first that fits is taken
 */
import { createReadStream, existsSync, realpathSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { pipeline } from "node:stream";
import { parseArgs } from "node:util";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
};

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    isolated: { type: "boolean", default: false },
    "no-wasm": { type: "boolean", default: false },
    mount: { type: "string", multiple: true, default: [] },
  },
});

const mounts = [...values.mount, `/=${resolve(import.meta.dirname, "../..")}`].map((mount) => {
  const [path, target = ""] = mount.split(/=(.*)/s);
  if (!path.startsWith("/") || !existsSync(target))
    end(`--mount ${mount}: expected /path=FOLDER, a folder that exists`);
  return { path: path.endsWith("/") ? path : `${path}/`, target: realpathSync(target) };
});

function end(message) {
  console.error(message);
  process.exit(2);
}

const headers = {
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-cache",
  // The library wants no more than this: no inline script, no eval, no blob: URL, and without --no-wasm WebAssembly.
  "Content-Security-Policy": `default-src 'self'; img-src 'self' blob:; script-src 'self'${values["no-wasm"] ? "" : " 'wasm-unsafe-eval'"}`,
  ...(values.isolated
    ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }
    : {}),
};

/** The file that a path names, of a folder its index.html, or undefined where it leads out of its mount or to nothing. */
async function find(path) {
  const mount = mounts.find((candidate) => `${path}/`.startsWith(candidate.path));
  const rest = path.slice(mount.path.length);
  try {
    const place = realpathSync(rest === "" ? mount.target : join(mount.target, rest));
    const isPage = path.endsWith("/") && (await stat(place)).isDirectory();
    const file = isPage ? realpathSync(join(place, "index.html")) : place;
    const isInside = file === mount.target || file.startsWith(join(mount.target, sep));
    const stats = await stat(file);
    if (isInside && stats.isFile()) return { file, bytes: stats.size };
  } catch {
    // Answered as missing.
  }
  return undefined;
}

const server = createServer(async (request, response) => {
  const refuse = (status) => response.writeHead(status, { ...headers, "Content-Length": 0 }).end();
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
  let path;
  try {
    path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  } catch {
    return refuse(400);
  }
  const found = await find(path);
  if (found === undefined) return refuse(404);
  const type = TYPES[extname(found.file)] ?? "application/octet-stream";
  response.writeHead(200, { ...headers, "Content-Type": type, "Content-Length": found.bytes });
  if (request.method === "HEAD") return response.end();
  pipeline(createReadStream(found.file), response, () => undefined);
});
server.on("error", ({ message }) => end(message));
server.maxConnections = 64;
server.requestTimeout = 10_000;
server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
