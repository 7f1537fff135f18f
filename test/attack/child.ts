/**
 * One form under attack, in a process of its own: loads damaged files one after the other, and tells the parent of each
 * how long it took, how far memory rose above what was held before, and what came of it.
 *
 *     node child.ts FORM SEED FILES FIRST
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { mulberry32 } from "../../src/core/random.ts";
import type { ModelSource } from "../../src/sources/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { sample } from "../fixtures/sample-networks.ts";
import { FORMS } from "../writers/forms.ts";
import { LIMITS, type Told } from "./child-report.ts";
import { DAMAGE_NAMES, DAMAGES, type DamageName } from "./mutate.ts";

const [formIndex = 0, seed = 1, files = 100, first = 0] = process.argv.slice(2, 6).map(Number);
const folder = process.argv[6] ?? "";
const network = sample("attacked", { alpha: 0.25, resolution: 32, classes: 6 }, 7);
const form = FORMS[formIndex];
if (form === undefined) throw new Error("There is no such form.");

interface Seed {
  readonly bytes: Uint8Array;
  readonly given: object;
  wrap(bytes: Uint8Array): ModelSource;
}

/** The file that is attacked: of several the first that is no configuration, or for TensorFlow.js any of them. */
async function seedOf(index: number, turn: number): Promise<Seed | undefined> {
  const written = await FORMS[index]?.write(network);
  if (written === undefined) return undefined;
  const { source, given = {} } = written;
  if (source instanceof Uint8Array) return { bytes: source, given, wrap: (bytes) => bytes };
  if (!Array.isArray(source)) throw new Error("An unknown kind of source.");
  const list = source as readonly File[];
  const target = turn % list.length;
  const chosen = list[target] as File;
  return {
    bytes: new Uint8Array(await chosen.arrayBuffer()),
    given,
    wrap: (bytes) =>
      list.map((file, i) => (i === target ? new File([bytes as Uint8Array<ArrayBuffer>], file.name) : file)),
  };
}

const status = (key: string) =>
  1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0);
const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);

async function attempt(index: number): Promise<Told> {
  const random = mulberry32((seed * 1_000_003 + formIndex * 7919 + index) >>> 0);
  const damage = DAMAGE_NAMES[index % DAMAGE_NAMES.length] as DamageName;
  const own = await seedOf(formIndex, index);
  const other = await seedOf(Math.floor(random() * FORMS.length), index);
  if (own === undefined || other === undefined) throw new Error("There is no such form.");
  const bytes = new Uint8Array(DAMAGES[damage](own.bytes, other.bytes, random));
  const source = own.wrap(bytes);
  collect();
  // The kernel forgets the highest mark, so that what follows is this file's own.
  writeFileSync("/proc/self/clear_refs", "5");
  const before = status("VmRSS");
  const start = performance.now();
  let outcome = "loaded";
  let isFault = false;
  try {
    await loadModel(source, { ...own.given, cache: false });
  } catch (error) {
    isFault = !isDepthwiseError(error);
    outcome = isDepthwiseError(error) ? error.code : String(error instanceof Error ? error.stack : error);
  }
  const milliseconds = performance.now() - start;
  const peakBytes = Math.max(0, status("VmHWM") - before);
  const isOver = milliseconds > LIMITS.milliseconds || peakBytes > LIMITS.peak(bytes.length);
  const told = { index, damage, bytes: bytes.length, milliseconds, peakBytes, outcome, isFault };
  if (folder === "" || (!isFault && !isOver)) return told;
  mkdirSync(folder, { recursive: true });
  const kept = join(folder, `${formIndex}-${seed}-${index}-${damage}.bin`);
  writeFileSync(kept, bytes);
  return { ...told, kept };
}

// What is loaded late and compiled is no part of any file's bill.
for (let warm = 0; warm < 3; warm++) {
  const good = await seedOf(formIndex, 0);
  if (good !== undefined) await loadModel(good.wrap(good.bytes), { ...good.given, cache: false });
}
for (let index = first; index < files; index++) {
  process.send?.({ begins: index });
  process.send?.(await attempt(index));
}
process.disconnect?.();
