/**
 * Runs that are killed at random moments, and resumed with other threads and another prefetch, end with the bytes of one
 * that never was. `DEPTHWISE_KILLS=20` kills that often.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const KILLS = Number(process.env["DEPTHWISE_KILLS"] ?? 5);
const folder = mkdtempSync(join(tmpdir(), "depthwise-killed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Child {
  readonly process: ChildProcess;
  readonly begun: Promise<void>;
  /** Whether it came to its end; rejects if it failed by itself. */
  readonly ended: Promise<boolean>;
}

function start(directory: string, options: object): Child {
  const script = resolve(import.meta.dirname, "run-to-kill.mjs");
  const child = spawn(process.execPath, [script, directory, JSON.stringify(options)]);
  let [said, errors] = ["", ""];
  child.stderr.on("data", (text) => (errors += String(text)));
  const begun = new Promise<void>((done) => {
    child.stdout.on("data", (text) => {
      said += String(text);
      if (said.includes("\n")) done();
    });
    child.once("close", () => done());
  });
  const ended = new Promise<boolean>((done, fail) => {
    child.once("close", (code, signal) => {
      if (code !== 0 && signal !== "SIGKILL") fail(new Error(`the run failed: ${errors}`));
      else done(said.includes("ended"));
    });
  });
  return { process: child, begun, ended };
}

/** All that is to be equal: state, model, history without times. */
function left(directory: string) {
  const index = JSON.parse(readFileSync(join(directory, "checkpoint.json"), "utf8")) as {
    current: { state: { name: string }; best: { epoch: number; file: { name: string } } };
  };
  const { state, best } = index.current;
  const lines = readFileSync(join(directory, "history.jsonl"), "utf8").trim().split("\n");
  return {
    state: readFileSync(join(directory, state.name)).toString("base64"),
    best: readFileSync(join(directory, best.file.name)).toString("base64"),
    bestEpoch: best.epoch,
    model: readFileSync(join(directory, "model.safetensors")).toString("base64"),
    history: lines.map((line) => ({ ...(JSON.parse(line) as object), time: undefined })),
  };
}

it(`a run that is killed ${KILLS} times`, { timeout: 60_000 + 10_000 * KILLS }, async () => {
  const whole = join(folder, "whole");
  const first = start(whole, { threads: 1, prefetch: 2 });
  await first.begun;
  const began = performance.now();
  expect(await first.ended).toBe(true);
  const length = performance.now() - began;
  const expected = left(whole);
  expect(expected.history.length).toBe(6);

  const delays: number[] = [];
  let directories = 0;
  let directory = join(folder, `killed-${directories}`);
  for (let turn = 0; delays.length < KILLS; turn++) {
    const child = start(directory, { threads: turn % 2 === 0 ? 2 : 1, prefetch: turn % 4, resume: true });
    await child.begun;
    const delay = (Math.random() * 2 * length) / Math.min(KILLS, 6);
    const killed = setTimeout(() => child.process.kill("SIGKILL"), delay);
    const hasEnded = await child.ended;
    clearTimeout(killed);
    if (!hasEnded) {
      delays.push(Math.round(delay));
      continue;
    }
    expect(left(directory), `killed after ${delays.join(", ")} ms`).toEqual(expected);
    directory = join(folder, `killed-${++directories}`);
  }
  const last = start(directory, { threads: 4, prefetch: 1, resume: true });
  expect(await last.ended).toBe(true);
  expect(left(directory), `killed after ${delays.join(", ")} ms`).toEqual(expected);
  // Nothing of a killed run stays.
  const names = readdirSync(directory).filter((name) => !/^(state|best)-[abc]\.safetensors$/.test(name));
  expect(names.sort()).toEqual(["checkpoint.json", "history.jsonl", "model.safetensors"]);
});
