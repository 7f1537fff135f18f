import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatProfile } from "../../src/cli/profile.ts";
import { traceOf } from "../../src/cli/trace.ts";
import { cost } from "../../src/cost/index.ts";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import type { Profile } from "../../src/session/index.ts";
import { interrupt, run } from "./command.ts";

let folder = "";
const tiny = ["--alpha", "0.25", "--resolution", "32", "--classes", "10", "--runs", "2"];
const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });
const multAdds = cost(model).totals.multAdds ?? 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-profile-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Event {
  readonly ph: string;
  readonly name: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

describe("depthwise profile", () => {
  it("--json prints the profile, whose mult-adds are those that cost counts", async () => {
    const { code, stdout, stderr } = await run(["profile", ...tiny, "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    const profile = JSON.parse(stdout) as Profile;
    expect(profile).toMatchObject({ network: model.name, backend: "wasm", threads: 1, runs: 2 });
    expect(profile.steps.reduce((sum, step) => sum + step.multAdds, 0)).toBe(multAdds);
  });

  it.each([
    [["--backend", "plain"], { backend: "plain", simd: "none", threads: 1 }, 1],
    [["--simd", "plain", "--threads", "2", "--batch", "3"], { backend: "wasm", simd: "plain", threads: 2 }, 3],
    [["--threads", "auto"], { backend: "wasm" }, 1],
  ])("takes %j", async (args, expected, images) => {
    const { code, stdout } = await run(["profile", ...tiny, ...args, "--json"]);
    expect(code).toBe(0);
    const profile = JSON.parse(stdout) as Profile;
    expect(profile).toMatchObject(expected);
    expect(profile.steps.reduce((sum, step) => sum + step.multAdds, 0)).toBe(images * multAdds);
  });

  it("prints a row a step and the totals", async () => {
    const { code, stdout } = await run(["profile", ...tiny]);
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^mobilenet_v1_0\.25_32: wasm, (relaxed|plain) SIMD, 1 thread; medians of 2 runs$/);
    expect(lines[2]?.split(/ {2,}/)).toEqual(["step", "kernel", "mult-adds", "ms", "GFLOP/s", "of limit"]);
    expect(stdout).toMatch(/^conv_pw_13 +pointwiseConv2d +65,536 +\d+\.\d{3} +\d+\.\d +\d+\.\d %$/m);
    expect(stdout).toMatch(new RegExp(`^total +${multAdds.toLocaleString("en-US")} +\\d+\\.\\d{3} `, "m"));
    expect(stdout).toMatch(/The limit is what a thread multiplies over registers alone: \d+\.\d GFLOP\/s\.\n$/);
  });

  it("takes the network from a file", async () => {
    await saveModel(model, join(folder, "tiny.safetensors"));
    const { stdout } = await run(["profile", "--weights", "tiny.safetensors", "--runs", "1", "--json"], {
      cwd: folder,
    });
    expect((JSON.parse(stdout) as Profile).network).toBe(model.name);
  });

  it("--trace writes complete events in order of execution, under names", async () => {
    const { code, stdout } = await run(["profile", ...tiny, "--json", "--trace", "trace.json"], { cwd: folder });
    expect(code).toBe(0);
    const profile = JSON.parse(stdout) as Profile;
    const { traceEvents, displayTimeUnit } = JSON.parse(readFileSync(join(folder, "trace.json"), "utf8")) as {
      readonly traceEvents: readonly Event[];
      readonly displayTimeUnit: string;
    };
    expect(displayTimeUnit).toBe("ms");
    const names = traceEvents.filter(({ ph }) => ph === "M").map(({ name, args }) => [name, args["name"]]);
    expect(names).toEqual([
      ["process_name", model.name],
      ["thread_name", "wasm: steps of thread 1"],
    ]);
    const steps = traceEvents.filter(({ ph }) => ph === "X");
    expect(steps).toHaveLength(traceEvents.length - 2);
    let end = 0;
    for (const [place, { name, ts, dur, pid, tid, args }] of steps.entries()) {
      const step = profile.steps[place]!;
      expect([name, args["multAdds"], pid, tid]).toEqual([step.name, step.multAdds, 1, 1]);
      expect(args).toMatchObject({ kernel: step.kernel, gflops: step.gflops });
      expect(dur).toBeCloseTo(1000 * step.timeMs, 6);
      expect(ts).toBeCloseTo(end, 6);
      end = ts! + dur!;
    }
    expect(readdirSync(folder).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });

  it.each([
    [["--trace", "no/such/folder/trace.json"], 1, "FILE_UNREADABLE: no/such/folder/trace.json"],
    [["--trace", "https://localhost/trace.json"], 2, "profile: --trace: expected a path or a file: URL"],
    [["--trace", "/dev/null"], 1, "a character device. Pass the path of a file."],
    [["--runs", "0"], 2, "runs"],
    [["--runs", "many"], 2, "not a number"],
    [["--threads", "some"], 2, "neither a number nor auto"],
    [["--threads", "0"], 2, "threads"],
    [["--batch", "0"], 2, "batch"],
    [["--simd", "wider"], 2, "relaxed"],
    [["--backend", "gpu"], 2, "reference"],
    [["--weights", "none.safetensors"], 1, "FILE_NOT_FOUND"],
  ])("%j ends with code %i and says %s", async (args, code, text) => {
    const outcome = await run(["profile", "--alpha", "0.25", "--resolution", "32", ...args], { cwd: folder });
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(text);
    expect(outcome.stderr).not.toContain("    at ");
    expect(outcome.stdout).toBe("");
  });

  it("--trace takes a file: URL", async () => {
    const place = pathToFileURL(join(folder, "by-address.json")).href;
    expect(await run(["profile", ...tiny, "--trace", place], { cwd: folder })).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(readFileSync(join(folder, "by-address.json"), "utf8"))).toHaveProperty("traceEvents");
  });

  it("leaves no trace when it is interrupted", async () => {
    const args = ["profile", "--runs", "10000", "--threads", "2", "--trace", "never.json"];
    // Once it listens, and has computed for so long that it is in the middle of its runs, however busy the machine is.
    const isRunning =
      "process.listenerCount('SIGINT')>0&&process.cpuUsage().user>2e6&&(clearInterval(timer),fs.writeFileSync('runs',''))";
    const flag = `data:text/javascript,import fs from'node:fs';const timer=setInterval(()=>${isRunning},10).unref()`;
    const outcome = await interrupt(args, {
      cwd: folder,
      env: { NODE_OPTIONS: `--import "${flag}"` },
      when: () => existsSync(join(folder, "runs")),
    });
    expect(outcome).toEqual({ code: 130, signal: null, stdout: "", stderr: "" });
    expect(readdirSync(folder).filter((file) => file.startsWith("never"))).toEqual([]);
  });
});

describe("a profile without a limit", () => {
  const profile: Profile = {
    network: "n",
    backend: "plain",
    simd: "none",
    threads: 1,
    runs: 3,
    statistic: "median",
    steps: [
      { name: "a", kernel: "conv2d", multAdds: 1_500_000, bytes: 9000, timeMs: 1.5, gflops: 2 },
      { name: "b", kernel: "softmax", multAdds: 0, bytes: 80, timeMs: 0.25, gflops: 0 },
    ],
    totalMs: 2,
    gflops: 1.5,
  };

  it("has no shares", () => {
    expect(formatProfile(profile)).toBe(
      [
        "n: plain, 1 thread; medians of 3 runs",
        "",
        "step   kernel   mult-adds     ms  GFLOP/s  of limit",
        "a      conv2d   1,500,000  1.500      2.0",
        "b      softmax          0  0.250",
        "total           1,500,000  2.000      1.5",
        "",
        "No limit: it is measured in WebAssembly.",
      ].join("\n"),
    );
  });

  it("says what its times are over the runs", () => {
    const [first] = formatProfile({ ...profile, statistic: "mean" }).split("\n");
    expect(first).toBe("n: plain, 1 thread; means of 3 runs");
  });

  it("makes a trace in microseconds", () => {
    expect(traceOf(profile).traceEvents.slice(2)).toEqual([
      {
        ph: "X",
        name: "a",
        cat: "conv2d",
        ts: 0,
        dur: 1500,
        pid: 1,
        tid: 1,
        args: { kernel: "conv2d", multAdds: 1_500_000, gflops: 2 },
      },
      {
        ph: "X",
        name: "b",
        cat: "softmax",
        ts: 1500,
        dur: 250,
        pid: 1,
        tid: 1,
        args: { kernel: "softmax", multAdds: 0, gflops: 0 },
      },
    ]);
  });
});
