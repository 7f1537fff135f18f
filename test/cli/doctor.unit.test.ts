import { describe, expect, it } from "vitest";
import { formatDiagnosis } from "../../src/cli/doctor.ts";
import { type Diagnosis, doctor } from "../../src/session/index.ts";
import { run } from "./command.ts";

describe("depthwise doctor", () => {
  it("--json prints the object of the library", async () => {
    const { code, stdout, stderr } = await run(["doctor", "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual(doctor());
  });

  it("prints what is on and what compile takes", async () => {
    const { code, stdout } = await run(["doctor"]);
    expect(code).toBe(0);
    expect(stdout).toBe(`${formatDiagnosis(doctor())}\n`);
    expect(stdout).toContain(`Node ${process.versions.node}`);
    expect(stdout).toMatch(/^ {2}on {3}WebAssembly$/m);
  });

  it("runs where there is no WebAssembly, and says what would bring it", async () => {
    const { code, stdout } = await run(["doctor"], { flags: ["--jitless"] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}off {2}WebAssembly: .+\n {7}Start Node without --jitless/m);
    expect(stdout).toContain("compile(network) takes:                      plain, 1 thread");
  });

  it("prints every reason and every advice under its feature, and each reason of a choice once", () => {
    const reasons = ["one thread: no shared memory here"];
    const diagnosis: Diagnosis = {
      engine: "Mozilla/5.0",
      cores: 1,
      features: [
        { name: "wasm", on: true },
        { name: "simd", on: true },
        { name: "relaxed", on: false, reason: "this engine has none", advice: "Take another." },
        { name: "shared", on: false, reason: "not isolated" },
      ],
      chosen: {
        defaults: { backend: "wasm", simd: "plain", threads: 1, reasons: ["plain SIMD"], tiles: "plain" },
        autoThreads: {
          backend: "wasm",
          simd: "plain",
          threads: 1,
          reasons: ["plain SIMD", ...reasons],
          tiles: "plain",
        },
      },
    };
    expect(formatDiagnosis(diagnosis)).toBe(
      [
        "Mozilla/5.0, 1 core",
        "",
        "  on   WebAssembly",
        "  on   SIMD",
        "  off  relaxed SIMD: this engine has none",
        "       Take another.",
        "  off  shared memory: not isolated",
        "",
        "compile(network) takes:                      wasm, plain SIMD, plain tiles, 1 thread",
        'compile(network, { threads: "auto" }) takes: wasm, plain SIMD, plain tiles, 1 thread',
        "  plain SIMD",
        "  one thread: no shared memory here",
      ].join("\n"),
    );
  });
});
