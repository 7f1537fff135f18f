/** @slow: it takes 60 seconds. */

/** Sessions opened and closed by the thousand, ten thousand runs: memory stays where it was. */

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it, vi } from "vitest";

vi.setConfig({ testTimeout: 1_000_000 });

const root = resolve(import.meta.dirname, "../..");

/** Against a process that hangs. Alone none takes a minute; two threads that wait for each other on a busy machine do. */
const HANG_MS = 900_000;

/** Runs a script in a process of its own and gives the numbers that it prints. */
function measure(body: string): readonly number[] {
  const script = `
    const { compile, mobileNetV1 } = await import(${JSON.stringify(resolve(root, "dist/esm/index.js"))});
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
    const image = new Float32Array(32 * 32 * 3);
    const settle = async () => {
      for (let i = 0; i < 3; i++) { gc(); await new Promise((next) => setTimeout(next, 20)); }
      return process.memoryUsage.rss() / 2 ** 20;
    };
    ${body}`;
  // A young generation that may not grow: Node 24 lets it reach 64 MB under load and keeps it, which is no leak.
  const flags = ["--expose-gc", "--max-semi-space-size=1", "--input-type=module"];
  const out = execFileSync(process.execPath, [...flags, "-e", script], {
    encoding: "utf8",
    timeout: HANG_MS,
  });
  return out.trim().split(" ").map(Number);
}

it.each([
  [1000, 1],
  [300, 2],
])("%d sessions of %d threads leave nothing behind", (sessions, threads) => {
  const [before = 0, after = Number.NaN] = measure(`
    const cycle = async (count) => {
      for (let i = 0; i < count; i++) {
        const session = await compile(model, { threads: ${threads} });
        if (i % 10 === 0) await session.run(image);
        session.close();
      }
    };
    await cycle(50);
    const before = await settle();
    await cycle(${sessions});
    console.log(before, await settle());`);
  expect(after - before).toBeLessThan(24);
});

it("four hundred sessions that nobody closed are collected, with their workers", () => {
  const [before = 0, after = Number.NaN] = measure(`
    const cycle = async (count) => {
      for (let i = 0; i < count; i++) {
        await compile(model, { threads: i % 20 === 0 ? 2 : 1 });
        if (i % 20 === 0) await settle();
      }
    };
    await cycle(100);
    const before = await settle();
    await cycle(400);
    console.log(before, await settle());`);
  expect(after - before).toBeLessThan(48);
});

it.each([1, 2])("ten thousand runs on %d threads hold memory flat", (threads) => {
  // As many runs before: by then the engine's heap has the size it keeps, and only a leak makes it grow on.
  const [before = 0, after = Number.NaN] = measure(`
    const session = await compile(model, { threads: ${threads} });
    const runs = async (count) => {
      for (let i = 0; i < count; i++) await session.run(image);
      return settle();
    };
    console.log(await runs(10000), await runs(10000));`);
  expect(after - before).toBeLessThan(16);
});
