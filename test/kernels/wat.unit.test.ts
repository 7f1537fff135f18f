/** `npm run wat` prints text that an assembler takes, for each family and kind of SIMD, and says what it does not know. */

import { describe, expect, it } from "vitest";
import wabt from "wabt";
import { wat } from "../../scripts/wat.ts";
import { MODULE_NAMES } from "../../src/kernels/wasm/modules.ts";
import { TILES } from "../../src/kernels/wasm/tiles.ts";

const textOf = async (...words: string[]) => {
  const answer = await wat(words);
  if ("wrong" in answer) throw new Error(answer.wrong);
  return answer.text;
};

describe("wat", () => {
  it.each(MODULE_NAMES.flatMap((family) => Object.keys(TILES).map((tile) => [family, tile])))(
    "prints %s, %s, as text that assembles",
    async (family, tile) => {
      const text = await textOf(family!, tile!);
      const module = (await wabt()).parseWat("printed.wat", text, { simd: true, threads: true, relaxed_simd: true });
      try {
        expect(module.toBinary({}).buffer.length).toBeGreaterThan(100);
      } finally {
        module.destroy();
      }
    },
  );

  it("takes relaxed SIMD unless told otherwise, and shared memory when asked", async () => {
    expect(await textOf("product")).toContain("f32x4.relaxed_madd");
    expect(await textOf("product", "plain")).not.toContain("relaxed");
    expect(await textOf("product", "plain", "shared")).toMatch(/\(memory .*shared\)/);
  });

  it("lists the families where none is named, and says what is wrong with a name", async () => {
    const list = await textOf();
    for (const family of MODULE_NAMES) expect(list).toContain(family);
    expect(await wat(["produkt"])).toEqual({
      wrong: expect.stringMatching(/^There is no family "produkt"\.[\s\S]*product/),
    });
    expect(await wat(["product", "avx"])).toEqual({ wrong: expect.stringMatching(/^"avx" is neither/) });
    expect(await wat(["product", "plain", "relaxed"])).toEqual({ wrong: expect.stringMatching(/^One kind of SIMD/) });
  });
});
