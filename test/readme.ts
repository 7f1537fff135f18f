/** The blocks of README.md and docs/ that are followed by what they print. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { sharedRoot } from "./shared.ts";

const root = resolve(import.meta.dirname, "..");

export interface Block {
  readonly language: "js" | "ts" | "sh";
  readonly code: string;
  readonly output: string;
  /** Whether it reads weights and a photograph, which the repository does not carry. */
  readonly needsWeights: boolean;
}

/** README once more: the same blocks, other words. */
export const KOREAN = "README.ko.md";

/** README in both languages and every page of docs/, by path from the project's folder. */
export function pages(): ReadonlyMap<string, string> {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  const paths = ["README.md", KOREAN, ...docs.filter((path) => path.endsWith(".md")).map((path) => `docs/${path}`)];
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/```(js|ts|sh)\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(
    ([, language = "", code = "", output = ""]) => ({
      language: language as Block["language"],
      code,
      output,
      needsWeights: /mobilenet\.(safetensors|tflite)|keras:/.test(code),
    }),
  );
}

/** A folder in which the package is installed, as a user's would be. */
export function userFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-readme-"));
  mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules", "depthwise"));
  symlinkSync(resolve(root, "dist/cli/depthwise.js"), join(folder, "node_modules", ".bin", "depthwise"));
  if (sharedRoot !== undefined) {
    symlinkSync(
      join(sharedRoot, "derived/mobilenet_v1_1.0_224_f16.safetensors"),
      join(folder, "mobilenet.safetensors"),
    );
    symlinkSync(join(sharedRoot, "weights/mobilenet_v1_0.25_128_quant.tflite"), join(folder, "mobilenet.tflite"));
    symlinkSync(join(sharedRoot, "reference/photos/cat.jpg"), join(folder, "cat.jpg"));
  }
  return folder;
}

/** What the README downloads, which the tests have as a file: another training of the same network. */
const DOWNLOADED = "keras:mobilenet_1_0_224_tf";

/** Runs a block and gives what it printed. A failing command's output counts too. */
export function run({ language, code }: Block, folder: string): string {
  const file = join(folder, "block.mjs");
  const local = code.replaceAll(DOWNLOADED, "mobilenet.safetensors");
  if (language === "ts") writeFileSync(file, transformSync(local, { loader: "ts", target: "node20" }).code);
  else writeFileSync(file, local);
  const [command, ...args] = language === "sh" ? ["bash", "-c", local] : [process.execPath, file];
  const PATH = `${join(folder, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`;
  try {
    return execFileSync(command ?? "", args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH },
    });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    if (language === "sh" && stdout !== "") return stdout;
    throw new Error(stderr, { cause: error });
  }
}

/** Expected output as a pattern: `…` stands for a figure that is measured. */
export function pattern(output: string): RegExp {
  const literal = output.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*?");
  return new RegExp(`^${literal}$`);
}
