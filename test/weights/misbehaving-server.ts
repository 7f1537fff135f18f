/** A server on the loopback that does, request by request, what it is told to: mostly wrong things. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "vitest";

export type Act = (request: IncomingMessage, response: ServerResponse) => void;

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

export interface MisbehavingServer extends AsyncDisposable {
  readonly url: string;
  /** Every request so far. */
  readonly asked: readonly Asked[];
  /** What the path does: the first act for the first request, …, the last one for all that follow. */
  on(path: string, ...acts: readonly Act[]): string;
  /** Breaks every connection. */
  cut(): void;
  /** Sends some more in every answer that is not ended. */
  drip(text: string): void;
  /** Acts of a path so far. */
  count(path: string): number;
}

/** Answers 404 for paths that were not set. */
export async function startServer(): Promise<MisbehavingServer> {
  const acts = new Map<string, readonly Act[]>();
  const asked: Asked[] = [];
  const count = (path: string) => asked.filter((request) => request.path === path).length;
  const answers: ServerResponse[] = [];
  const server = createServer((request, response) => {
    answers.push(response);
    const path = request.url ?? "";
    const list = acts.get(path) ?? [status(404)];
    const act = list[Math.min(count(path), list.length - 1)] ?? status(404);
    asked.push({ path, headers: request.headers });
    act(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    count,
    cut: () => server.closeAllConnections(),
    drip(text) {
      for (const response of answers) if (!response.writableEnded && !response.destroyed) response.write(text);
    },
    on(path, ...list) {
      acts.set(path, list);
      return url + path;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export function status(code: number, headers: Record<string, string> = {}): Act {
  return (_request, response) => response.writeHead(code, headers).end(`status ${code}`);
}

export function redirect(to: string): Act {
  return status(302, { location: to });
}

/** A progress callback that breaks the connection once so many bytes have arrived. */
export function cutAt(server: MisbehavingServer, ...amounts: readonly number[]) {
  return ({ received }: { readonly received: number }) => {
    if (amounts.includes(received)) server.cut();
  };
}

export interface FileFacts {
  /** Default a strong one, made from the bytes; null for none. */
  readonly etag?: string | null;
  readonly lastModified?: string;
  /** Whether `Range` is understood. Default true. */
  readonly ranges?: boolean;
  /** Breaks the connection after so many bytes of this answer. How many of them arrive is a matter of luck. */
  readonly cutAfter?: number;
  /** Sends nothing more after so many bytes of this answer, but stays connected: until `cut`, see `cutAt`. */
  readonly stallAfter?: number;
  /** In place of the right header. */
  readonly contentRange?: string;
  /** Packs the bytes whatever the client accepts. */
  readonly gzip?: boolean;
  /** Says no length. */
  readonly chunked?: boolean;
}

/** The bytes as a good server sends them, except for what `facts` says. */
export function file(bytes: Uint8Array, facts: FileFacts = {}): Act {
  const etag = facts.etag === undefined ? tagOf(bytes) : facts.etag;
  return (request, response) => {
    if (etag !== null && request.headers["if-none-match"] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    const headers: Record<string, string> = {};
    if (etag !== null) headers["etag"] = etag;
    if (facts.lastModified !== undefined) headers["last-modified"] = facts.lastModified;
    const start = facts.ranges === false ? undefined : startOf(request, [etag, facts.lastModified]);
    if (start !== undefined && start >= bytes.length) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    let body = start === undefined ? bytes : bytes.subarray(start);
    if (start !== undefined) {
      headers["content-range"] = facts.contentRange ?? `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    }
    if (facts.gzip) {
      body = gzipSync(body);
      headers["content-encoding"] = "gzip";
    }
    if (!facts.chunked) headers["content-length"] = String(body.length);
    response.writeHead(start === undefined ? 200 : 206, headers);
    if (facts.stallAfter !== undefined) response.write(body.subarray(0, facts.stallAfter));
    else if (facts.cutAfter === undefined) response.end(body);
    else response.write(body.subarray(0, facts.cutAfter), () => response.socket?.end());
  };
}

/** Quicker than `toEqual` on a hundred thousand bytes. */
export function same(found: Uint8Array, expected: Uint8Array): void {
  expect([found.length, sha256(found)]).toEqual([expected.length, sha256(expected)]);
}

export function tagOf(bytes: Uint8Array): string {
  return `"${sha256(bytes).slice(0, 16)}"`;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes that tell their place: no two stretches are alike. */
export function someBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** Where the answer begins, if the request asks for a part of the file that the server still has. */
function startOf(request: IncomingMessage, validators: readonly (string | null | undefined)[]): number | undefined {
  const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const wanted = request.headers["if-range"];
  if (start === undefined || (wanted !== undefined && !validators.includes(String(wanted)))) return undefined;
  return Number(start);
}
