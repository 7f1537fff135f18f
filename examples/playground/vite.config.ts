/** Builds the page: `npm run build:playground` writes `dist/`, which works under any path. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { formulas } from "./math.ts";
import { pictureSheet } from "./picture-style.ts";

/** The library as it is packed: the doors' built files. */
const door = (name: string) => fileURLToPath(new URL(`../../dist/esm/${name}.js`, import.meta.url));

export default defineConfig({
  root: import.meta.dirname,
  // Links to its own files are relative, so that a folder can be put anywhere.
  base: "./",
  plugins: [formulas(), pictureSheet()],
  resolve: {
    alias: [
      { find: /^depthwise$/, replacement: door("index") },
      { find: /^depthwise\/models\/(\w+)$/, replacement: door("$1") },
      { find: /^depthwise\/(\w+)$/, replacement: door("$1") },
    ],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // A data: URL in its place is no file of the page's folder, and the policy refuses it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
