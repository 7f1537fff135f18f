/** Imports go down the list of rooms only. ARCHITECTURE.md explains the order. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../../src");

/** Each room and the rooms it may import; `core` is open to all. */
const ROOMS: Record<string, readonly string[]> = {
  cli: [
    "batch",
    "pretrained",
    "train",
    "classify",
    "session",
    "backends",
    "draw",
    "cost",
    "weights",
    "understand",
    "formats",
    "sources",
    "models",
    "images",
    "layers",
  ],
  train: [
    "classify",
    "session",
    "backends",
    "weights",
    "plan",
    "images",
    "models",
    "layers",
    "eager",
    "kernels",
    "operations",
  ],
  batch: ["classify", "session", "weights", "images", "layers", "kernels"],
  classify: ["session", "weights", "images", "layers"],
  session: ["backends", "plan", "kernels"],
  pretrained: ["weights"],
  weights: ["understand", "formats", "sources", "models", "plan", "layers"],
  // Of formats only what stands in no format's folder: the vocabulary of graphs and of stored tensors.
  understand: ["formats", "sources", "models", "layers"],
  formats: ["sources"],
  sources: [],
  backends: ["plan", "kernels", "operations"],
  draw: ["cost", "layers"],
  cost: ["models", "plan", "layers", "operations"],
  plan: ["layers", "operations"],
  models: ["layers", "operations"],
  eager: ["kernels", "operations"],
  kernels: ["operations"],
  layers: ["operations"],
  operations: [],
  images: [],
  core: [],
};

/** Sessions and backends are handed networks, and what lies in the package is one; they name types and nothing else. */
const TYPES_OF: Record<string, readonly string[]> = {
  session: ["layers"],
  backends: ["layers"],
  pretrained: ["models", "layers"],
};

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

describe("the rooms of src", () => {
  it.each(files.filter((file) => file.includes("/")))("%s imports downwards only", (file) => {
    const [room = ""] = file.split("/");
    const text = readFileSync(resolve(src, file), "utf8");
    for (const match of text.matchAll(/^(import|export)( type)?[^;]*?from "(\.[^"]+)"/gms)) {
      const [, , isType, target = ""] = match;
      const [other = ""] = relative(src, resolve(dirname(resolve(src, file)), target)).split("/");
      const allowed = [room, "core", ...(ROOMS[room] ?? []), ...(isType ? (TYPES_OF[room] ?? []) : [])];
      expect(allowed, `${file} imports ${target}`).toContain(other);
    }
    for (const [, target = ""] of text.matchAll(/import\("(\.[^"]+)"\)/g)) {
      const [other = ""] = relative(src, resolve(dirname(resolve(src, file)), target)).split("/");
      expect([room, "core", ...(ROOMS[room] ?? [])], `${file} loads ${target}`).toContain(other);
    }
  });

  it.each(files.filter((file) => /^(understand|sources|weights)\//.test(file)))("%s names no format", (file) => {
    const text = readFileSync(resolve(src, file), "utf8");
    const named = [...text.matchAll(/(?:from |import\()"[./]*\/formats\/([a-z0-9]+)\//g)].map(([, format]) => format);
    // The library's own is written as well as read.
    expect(named.filter((format) => !(file.startsWith("weights/") && format === "safetensors"))).toEqual([]);
  });

  it("has no room that the list does not know", () => {
    const rooms = readdirSync(src, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(rooms.sort()).toEqual(Object.keys(ROOMS).sort());
  });

  it("has no file above 600 lines, tables of data excepted", () => {
    const long = files.filter(
      (file) =>
        !file.endsWith("imagenet-labels.ts") &&
        !file.endsWith("printed.ts") &&
        readFileSync(resolve(src, file), "utf8").split("\n").length > 600,
    );
    expect(long).toEqual([]);
  });

  it("has no cycle of imports, those of types included", () => {
    const graph = new Map(
      files.map((file) => [
        file,
        [...readFileSync(resolve(src, file), "utf8").matchAll(/^(?:import|export)[^;]*?from "(\.[^"]+)"/gms)].map(
          ([, target = ""]) => relative(src, resolve(dirname(resolve(src, file)), target)),
        ),
      ]),
    );
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, `cycle: ${[...path, file].join(" → ")}`).not.toContain(file);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });
});
