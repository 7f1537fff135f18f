/**
 * Every emitted module is valid with the features it should need, and not without; no row of the instruction table is
 * there for nothing; and the dump of a module, for debugging, says what an independent tool reads out of it.
 */

import { describe, expect, it } from "vitest";
import {
  access,
  drop,
  float,
  int,
  moduleBuilder,
  op,
  repeat,
  set,
  storeLane,
  tee,
  when,
} from "../../src/kernels/wasm/assembler/index.ts";
import { INSTRUCTIONS } from "../../src/kernels/wasm/assembler/instructions.ts";
import { moduleText } from "../../src/kernels/wasm/assembler/text.ts";
import { probeFeatures } from "../../src/kernels/wasm/features.ts";
import { emitModule, MODULE_NAMES } from "../../src/kernels/wasm/modules.ts";
import { TILES, type TileName } from "../../src/kernels/wasm/tiles.ts";
import { instructionLines, instructionName, readBack, type WabtFeatures } from "./read-back.ts";

interface Variant {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly features: WabtFeatures;
}

/** Every emitted module, once for each binary that differs. */
const VARIANTS: readonly Variant[] = [
  ...new Map(
    MODULE_NAMES.flatMap((name) =>
      (Object.keys(TILES) as TileName[]).flatMap((tiles) =>
        [false, true].flatMap((relaxed) =>
          [false, true].map((shared): [string, Variant] => {
            const bytes = emitModule(name, { relaxed, shared }, TILES[tiles]);
            const multiplies = name.startsWith("product") || name.startsWith("depthwise");
            const features = {
              simd: name !== "gate",
              threads: shared || name === "gate",
              relaxed_simd: relaxed && multiplies,
            };
            const label = `${name}, ${tiles} tiles, ${relaxed ? "relaxed" : "plain"}, ${shared ? "shared" : "unshared"}`;
            return [Buffer.from(bytes).toString("latin1"), { name: label, bytes, features }];
          }),
        ),
      ),
    ),
  ).values(),
];

describe("every emitted module", () => {
  it.each(VARIANTS)("$name: is valid with the features it should need, and not without", ({ bytes, features }) => {
    readBack(bytes, features);
    for (const feature of Object.keys(features) as (keyof WabtFeatures)[]) {
      if (features[feature]) expect(() => readBack(bytes, { ...features, [feature]: false })).toThrow();
    }
    if (!features.relaxed_simd || probeFeatures().relaxed) expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it.each(VARIANTS)("$name: the dump decodes to the end, and says what wabt says", ({ bytes, features }) => {
    const text = moduleText(bytes);
    const theirs = readBack(bytes, features);
    const names = [...theirs.matchAll(/^ {2}\(func \$(\S+)/gm)].map(([, name]) => name!);
    // A profiler must be able to tell them apart; wabt numbers the second function of a name.
    expect(names.filter((name) => /\.\d+$/.test(name))).toEqual([]);
    expect([...text.matchAll(/^ {2}\(func \$(\S+)/gm)].map(([, name]) => name!)).toEqual(names);
    for (const name of WebAssembly.validate(bytes)
      ? WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map((entry) => entry.name)
      : []) {
      expect(text).toContain(`(export "${name}" (func $${name}))`);
    }
    // Floats are written in two ways, and functions are called by number there.
    const same = (line: string) =>
      line
        .replace(/^(f32\.const).*/, "$1")
        .replace(/^call (\d+)$/, (_, index: string) => `call $${names[Number(index)]}`);
    expect(instructionLines(text).map(same)).toEqual(instructionLines(theirs).map(same));
  });

  it("uses every row of the table", () => {
    const used = new Set(VARIANTS.flatMap(({ bytes }) => instructionLines(moduleText(bytes)).map(instructionName)));
    expect(Object.keys(INSTRUCTIONS).filter((name) => !used.has(name))).toEqual([]);
  });
});

describe("the dump", () => {
  it("shows parameters, locals, blocks and numbers", () => {
    const module = moduleBuilder({ shared: true, least: 2, most: 3 });
    module.func(
      "count",
      { x: "i32" },
      ({ x }, local) => {
        const total = local("f32");
        return [
          set(total, float(-0.5)),
          when(
            x,
            [repeat([access("f32.store", 8, x, total)], tee(x, op("i32.sub", x, int(-1))))],
            [storeLane("v128.store32_lane", 4, x, op("f32x4.splat", total))],
          ),
          x,
        ];
      },
      { export: true, result: "i32" },
    );
    expect(moduleText(module.bytes()).split("\n")).toEqual([
      "(module",
      '  (import "env" "memory" (memory 2 3 shared))',
      "  (func $count (param i32) (result i32)",
      "    (local f32)",
      "    f32.const -0.5",
      "    local.set 1",
      "    local.get 0",
      "    if",
      "      loop",
      "        local.get 0",
      "        local.get 1",
      "        f32.store offset=8",
      "        local.get 0",
      "        i32.const -1",
      "        i32.sub",
      "        local.tee 0",
      "        br_if 0",
      "      end",
      "    else",
      "      local.get 0",
      "      local.get 1",
      "      f32x4.splat",
      "      v128.store32_lane offset=4 0",
      "    end",
      "    local.get 0",
      "  )",
      '  (export "count" (func $count))',
      ")",
    ]);
  });

  it("refuses what the assembler did not write, and says where", () => {
    const module = moduleBuilder({ shared: false });
    module.func("f", {}, () => [drop(int(1))]);
    const bytes = module.bytes();
    expect(() => moduleText(bytes.subarray(0, bytes.length - 1))).toThrow(/part|end/);
    expect(() => moduleText(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))).toThrow(/begin/);
    const drops = bytes.lastIndexOf(0x1a);
    expect(() => moduleText(bytes.with(drops, 0xff))).toThrow(/opcode 0xff/);
  });
});
