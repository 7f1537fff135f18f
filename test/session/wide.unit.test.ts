/** `simd: "wide"`: what turns it on and what does not, the same bits as relaxed, and what it says where it cannot be. */

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { kernelModules } from "../../src/backends/wasm/kernel-modules.ts";
import { checkWide } from "../../src/backends/wide/check.ts";
import { triedCalls } from "../../src/backends/wide/trials.ts";
import type { FloatTensor } from "../../src/core/tensor.ts";
import type { ModuleBuilder } from "../../src/kernels/wasm/assembler/index.ts";
import { exported } from "../../src/kernels/wasm/exports.ts";
import { emitModule, lower, probeFeatures, TILES, type Tile } from "../../src/kernels/wasm/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { type CompileOptions, compile } from "../../src/session/compile.ts";
import { NOT_WIDE, worker } from "../backends.ts";

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });
const input = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i));
const library = resolve(import.meta.dirname, "../../dist/esm/index.js");

/** What a program prints that has the library, and `joins()`: whether V8 joins vectors in it now. */
function printed(program: string, flags: readonly string[] = []): string {
  const text = `
    import { doctor, compile, mobileNetV1 } from ${JSON.stringify(library)};
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });
    const input = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i));
    const joins = () => doctor().features.find(({ name }) => name === "wide").on;
    ${program}`;
  return execFileSync(process.execPath, [...flags, "--input-type=module", "-e", text], { encoding: "utf8" }).trim();
}

async function logitsOf(options: CompileOptions, network = model, values = input): Promise<FloatTensor["data"]> {
  const session = await compile(network, { worker, ...options });
  const { logits } = await session.run(values);
  session.close();
  return logits.data as Float32Array;
}

describe("asked for where it cannot be", () => {
  it.each([
    ["another backend", { backend: "plain" }, /simd "wide" cannot run here: only the wasm backend has it/],
    ["the reference", { backend: "reference" }, /only the wasm backend has it/],
  ] as const)("%s says so", async (_, options, message) => {
    await expect(compile(model, { simd: "wide", ...options })).rejects.toMatchObject({
      code: "BACKEND_UNAVAILABLE",
      message: expect.stringMatching(message),
    });
  });

  it("modules of a build say so, of whatever SIMD", async () => {
    for (const simd of ["plain", ...(probeFeatures().relaxed ? (["relaxed"] as const) : [])] as const) {
      const written = Object.entries(kernelModules(model, { simd }));
      const modules = Object.fromEntries(written.map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]));
      await expect(compile(model, { simd: "wide", modules })).rejects.toMatchObject({
        code: "OPTION_INVALID",
        message: expect.stringMatching(/modules: expected wide SIMD, as the option simd says, .*Pass simd: "auto"/),
      });
    }
  });

  it("without WebAssembly says so", () => {
    const program =
      'try { await compile(model, { simd: "wide" }); } catch ({ code, message }) { console.log(code, message); }';
    expect(printed(program, ["--jitless"])).toMatch(/^BACKEND_UNAVAILABLE .*there is no WebAssembly here/);
  });

  if (NOT_WIDE !== undefined) {
    it("an engine that joins nothing says so, and which does", async () => {
      await expect(compile(model, { simd: "wide" })).rejects.toMatchObject({
        code: "BACKEND_UNAVAILABLE",
        message: expect.stringContaining("Node 24"),
      });
    });
  }
});

describe("kernels are tried before they are used", () => {
  const call = (name: "product" | "depthwise-3", tiles: Tile = TILES.wide, singleRate = 0) => {
    const features = { relaxed: false, shared: false };
    const module = new WebAssembly.Module(emitModule(name, features, tiles));
    return checkWide(name, module, false, (tried) => lower(tried, TILES.wide), { singleRate: () => singleRate });
  };

  it.each(["product", "depthwise-3"] as const)("%s passes", async (name) => {
    await expect(call(name)).resolves.toBeUndefined();
  });

  it.each([
    ["product", { ...TILES.wide, columns: 8, rows: 4 }],
    ["depthwise-3", TILES.relaxed],
  ] as const)("%s that computes something else is refused by the name of the call", async (name, tiles) => {
    await expect(call(name, tiles)).rejects.toMatchObject({
      code: "BACKEND_UNAVAILABLE",
      message: expect.stringMatching(/computes (pointwise|depthwise)Conv2d wrongly where it joins vectors/),
    });
  });

  it("a kernel that stores nothing is refused, whatever was there before", async () => {
    const words = ["block", "from", "to", "batch", "scratch"] as const;
    const nothing = {
      "depthwise-3": (module: ModuleBuilder) => exported(module, "depthwise", words, () => []),
    };
    const bytes = emitModule("depthwise-3", { relaxed: false, shared: false }, TILES.wide, nothing);
    const checked = checkWide(
      "depthwise-3",
      new WebAssembly.Module(bytes),
      false,
      (tried) => lower(tried, TILES.wide),
      {
        singleRate: () => 0,
      },
    );
    await expect(checked).rejects.toThrow(/computes depthwiseConv2d wrongly/);
  });

  it("calls every function that the wide modules have, each height, width and edge by itself", () => {
    for (const name of ["product", "product-slim", "depthwise-3", "depthwise-5"] as const) {
      const own = triedCalls().filter((tried) => lower(tried, TILES.wide).module === name);
      expect(own.length, name).toBeGreaterThan(5);
    }
    const pixels = (module: string) =>
      triedCalls().flatMap((tried) =>
        tried.kernel === "pointwiseConv2d" && lower(tried, TILES.wide).module === module ? [tried.pixels] : [],
      );
    // Tiles of less than two thirds of the height are not emitted.
    expect(pixels("product")).toEqual(expect.arrayContaining([1, 4, 5, 6]));
    expect(pixels("product-slim")).toEqual(expect.arrayContaining([1, 8, 9, 10, 11, 12]));
  });

  it("a product that is too slow for joined vectors is refused", async () => {
    await expect(call("product", TILES.wide, 1e12)).rejects.toMatchObject({
      message: expect.stringContaining('joins no vectors in the kernels of the module "product"'),
    });
  });
});

if (NOT_WIDE === undefined) {
  describe("turned on", () => {
    it.each([1, 2, 4])("gives the bits of relaxed SIMD on %i threads", async (threads) => {
      for (const options of [
        { alpha: 0.25, resolution: 96 },
        { alpha: 0.75, resolution: 65, shallow: true },
        { alpha: 0.35 },
      ]) {
        const network = mobileNetV1({ resolution: 64, classes: 11, ...options });
        const side = network.inputShape[0] as number;
        const values = Float32Array.from({ length: 3 * side * side * 3 }, (_, i) => Math.sin(i));
        const relaxed = await logitsOf({ simd: "relaxed", batch: 3, threads }, network, values);
        expect(await logitsOf({ simd: "wide", batch: 3, threads }, network, values)).toEqual(relaxed);
      }
    });

    it("is said by explain and profile", async () => {
      const session = await compile(model, { simd: "wide" });
      expect(session.explain()).toMatchObject({
        backend: "wasm",
        simd: "wide",
        reasons: [expect.stringContaining("the whole process")],
      });
      const { simd, limitGflops } = await session.profile(undefined, { runs: 1 });
      session.close();
      const narrow = await compile(model, { simd: "relaxed" });
      const profile = await narrow.profile(undefined, { runs: 1 });
      narrow.close();
      expect([simd, profile.simd]).toEqual(["wide", "relaxed"]);
      // Twice, but for what else the machine does.
      expect(limitGflops).toBeGreaterThan(1.2 * (profile.limitGflops as number));
    });

    it("runs in a worker of its own, whose process it is too", async () => {
      expect(await logitsOf({ simd: "wide", inWorker: true })).toEqual(await logitsOf({ simd: "relaxed" }));
    });

    it("goes on when its workers are lost", async () => {
      const made: Worker[] = [];
      const make = () => made[made.push(worker()) - 1];
      const session = await compile(model, { simd: "wide", threads: 2, worker: make });
      const expected = await logitsOf({ simd: "relaxed" });
      for (let round = 0; round < 3; round++) {
        await made.at(-1)?.terminate();
        await session.run(input).catch(() => undefined);
        expect((await session.run(input)).logits.data).toEqual(expected);
      }
      session.close();
    });
  });

  describe("in a process of its own", () => {
    it("neither the import nor auto nor relaxed nor a refusal turns it on; wide does", () => {
      const program = `
        const seen = [joins()];
        for (const simd of ["auto", "relaxed", "plain"]) { (await compile(model, { simd })).close(); seen.push(joins()); }
        await compile(model, { simd: "wide", backend: "plain" }).catch(() => seen.push(joins()));
        (await compile(model, { simd: "wide" })).close();
        console.log(...seen, joins());`;
      expect(printed(program)).toBe("false false false false false true");
    });

    it("sessions of before, narrow ones of after and wide ones side by side give the same bits, in whatever order", () => {
      const program = `
        const run = async (session) => (await session.run(input)).logits.data.join();
        const before = await compile(model, { simd: "relaxed", threads: 2 });
        const first = await run(before);
        const wide = await compile(model, { simd: "wide", threads: 2 });
        const after = await compile(model, { simd: "relaxed" });
        const again = await compile(model, { simd: "wide" });
        const answers = new Set([first]);
        for (let i = 0; i < 300; i++) for (const session of [before, wide, after, again]) answers.add(await run(session));
        for (const session of [before, wide, after, again]) session.close();
        console.log(answers.size);`;
      expect(printed(program)).toBe("1");
    });

    it("is used where the switch was turned by hand, or by someone else", () => {
      const program = '(await compile(model, { simd: "wide" })).close(); console.log(joins());';
      expect(printed(program, ["--experimental-wasm-revectorize"])).toBe("true");
      const other = '(await import("node:v8")).setFlagsFromString("--experimental-wasm-revectorize");';
      expect(printed(`${other} ${program} ${other} ${program}`)).toBe("true\ntrue");
    });

    it("is turned on in a worker for the process", () => {
      const program = `
        const { Worker } = await import("node:worker_threads");
        const text = \`import(${JSON.stringify(library)}).then(async ({ compile, mobileNetV1 }) => {
          (await compile(mobileNetV1({ alpha: 0.25, resolution: 32 }), { simd: "wide" })).close();
        })\`;
        await new Promise((resolve) => new Worker(text, { eval: true }).on("exit", resolve));
        console.log(joins());`;
      expect(printed(program)).toBe("true");
    });

    it("is turned on again where somebody turned it off, and doctor knows it", () => {
      const program = `
        const { setFlagsFromString } = await import("node:v8");
        (await compile(model, { simd: "wide" })).close();
        setFlagsFromString("--no-experimental-wasm-revectorize");
        const session = await compile(model, { simd: "wide", threads: 2 });
        console.log(session.explain().simd, joins());
        session.close();`;
      expect(printed(program)).toBe("wide true");
    });

    it("needs no MessageChannel, and no clock that runs once it knows", () => {
      const program = `
        delete globalThis.MessageChannel;
        (await compile(model, { simd: "wide" })).close();
        performance.now = () => 1000;
        (await compile(model, { simd: "wide", threads: 2 })).close();
        console.log("ended");`;
      expect(printed(program)).toBe("ended");
    });

    it("does not wait for timers, nor for a clock that stands still", () => {
      const program = `
        globalThis.setTimeout = globalThis.setImmediate = () => 0;
        const now = performance.now();
        performance.now = () => now;
        await compile(model, { simd: "relaxed" });
        await compile(model, { simd: "wide" }).then((session) => session.close(), ({ code }) => console.log(code));
        console.log("ended");`;
      expect(printed(program)).toMatch(/ended$/);
    });

    // Where bounds of memory are checked in code V8 joins nothing, as on processors without AVX2.
    const REFUSING = ["--disable-wasm-trap-handler"];
    const LOGGED = `
      const { createRequire } = await import("node:module");
      const v8 = createRequire("/")("node:v8");
      const turn = v8.setFlagsFromString;
      const turned = [];
      v8.setFlagsFromString = (flag) => { turned.push(flag.replace("experimental-wasm-revectorize", "it")); turn(flag); };
      const wide = (options) => compile(model, { simd: "wide", ...options }).then((session) => session.close(), ({ code }) => code);`;

    it("a refusal is kept for a while, and doctor knows it; the switch is the process's, and stays", () => {
      const program = `${LOGGED}
        const first = await wide();
        const start = performance.now();
        const second = await wide();
        console.log(first, second, performance.now() - start < 1000, joins(), ...turned);`;
      expect(printed(program, REFUSING)).toBe("BACKEND_UNAVAILABLE BACKEND_UNAVAILABLE true false --it --it");
    });

    it("given by hand it stays on, also after a refusal, and frozen so it serves", () => {
      const program = `${LOGGED} console.log(await wide(), ...turned);`;
      expect(printed(program, [...REFUSING, "--experimental-wasm-revectorize"])).toBe("BACKEND_UNAVAILABLE --it");
      const frozen = ["--freeze-flags-after-init", "--experimental-wasm-revectorize"];
      expect(printed('(await compile(model, { simd: "wide" })).close(); console.log(joins());', frozen)).toBe("true");
    });

    it("frozen switches are not turned by a worker either, which has no flags of its own", () => {
      const program = `
        const { Worker } = await import("node:worker_threads");
        const text = \`import(${JSON.stringify(library)}).then(({ compile, mobileNetV1 }) =>
          compile(mobileNetV1({ alpha: 0.25, resolution: 32 }), { simd: "wide" })).catch(({ code }) => console.log(code))\`;
        await new Promise((resolve) => new Worker(text, { eval: true, execArgv: [] }).on("exit", resolve));`;
      expect(printed(program, ["--freeze-flags-after-init"])).toBe("BACKEND_UNAVAILABLE");
    });

    it("turned off while it compiles, the next compile comes through", () => {
      const program = `${LOGGED}
        const first = wide();
        for (let i = 0; i < 20; i++) { await new Promise((resolve) => setTimeout(resolve, 10)); turn("--no-experimental-wasm-revectorize"); }
        await first;
        const session = await compile(model, { simd: "wide" });
        console.log(session.explain().simd);
        session.close();`;
      expect(printed(program)).toBe("wide");
    });

    it("an abort is heard while it is looked for", () => {
      const program = `${LOGGED}
        const stop = new AbortController();
        setTimeout(() => stop.abort("stop"), 50);
        const start = performance.now();
        const reason = await compile(model, { simd: "wide", signal: stop.signal }).catch((error) => error);
        console.log(reason, performance.now() - start < 1500);
        process.exit();`;
      expect(printed(program, REFUSING)).toBe("stop true");
    });

    it("frozen switches are not turned, on this thread or another", () => {
      for (const inWorker of [false, true]) {
        const program = `console.log(await compile(model, { simd: "wide", inWorker: ${inWorker} }).catch(({ message }) => message));`;
        expect(printed(program, ["--freeze-flags-after-init"])).toMatch(
          /V8's switches are frozen in this process. Pass simd: "auto"/,
        );
      }
    });

    it("a hundred sessions and ten thousand runs end, and the process with them", () => {
      const program = `
        for (let i = 0; i < 100; i++) {
          const session = await compile(model, { simd: i % 3 === 0 ? "relaxed" : "wide", threads: 1 + (i % 2) });
          for (let run = 0; run < 100; run++) await session.run(input);
          session.close();
        }
        console.log("ended");`;
      expect(printed(program)).toBe("ended");
    });
  });
}
