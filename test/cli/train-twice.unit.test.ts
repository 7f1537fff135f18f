/** `depthwise train`, started twice on one directory: one of them trains, the other leaves all as it is. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { beginRun, checkNoRun, forgetRun, runPlaces } from "../../src/cli/training-files.ts";
import { run } from "./command.ts";
import { writePictures } from "./tiny-data.ts";

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-twice-"));
  await writePictures(join(folder, "pets"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a run that is begun where another one was since it looked", () => {
  it("is refused, and the other's options stay", async () => {
    const places = runPlaces(join(folder, "raced"));
    await Promise.all([checkNoRun(places), checkNoRun(places)]);
    const begun = await Promise.allSettled(["first", "second"].map((text) => beginRun(places, text)));
    const refused = begun.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
    expect(refused).toMatchObject([{ code: "OPTION_INVALID", fields: { path: places.options } }]);
    const winner = begun.findIndex(({ status }) => status === "fulfilled");
    expect(readFileSync(places.options, "utf8")).toBe(["first", "second"][winner]);
    expect(readdirSync(places.directory)).toEqual(["options.json"]);
    await forgetRun(places);
    expect(existsSync(places.directory)).toBe(false);
  });

  it("of two commands at once one trains to its end, with its options", async () => {
    const args = ["train", "pets", "--alpha", "0.1", "--resolution", "12", "--batch", "4", "--threads", "1"];
    const both = ["1", "2"].map((seed) =>
      run([...args, "--epochs", "3", "--seed", seed, "--out", "out"], { cwd: folder }),
    );
    const outcomes = await Promise.all(both);
    expect(outcomes.map(({ code }) => code).sort()).toEqual([0, 2]);
    const loser = outcomes.find(({ code }) => code !== 0);
    expect(loser?.stderr).toContain("a directory without a run");
    const winner = outcomes.findIndex(({ code }) => code === 0);
    expect(JSON.parse(readFileSync(join(folder, "out/options.json"), "utf8"))).toMatchObject({ seed: winner + 1 });
    expect(readdirSync(join(folder, "out")).sort()).toEqual(
      ["checkpoint", "history.jsonl", "model.safetensors", "options.json", "report.html"].sort(),
    );
  });
});
