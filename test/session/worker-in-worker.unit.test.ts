/** A session that is compiled in a worker of somebody's page, as Firefox has it: globals of that place, put here. */

import { afterEach, expect, it, vi } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it.each([{ inWorker: true }, { threads: 2 }])(
  "%j in Firefox computes in that worker, and says what to do",
  async (options) => {
    const make = vi.fn();
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    vi.stubGlobal("Worker", make);
    vi.stubGlobal("navigator", { userAgent: FIREFOX, hardwareConcurrency: 2 });
    using session = await compile(model, options);
    const { inWorker, threads, reasons } = session.explain();
    expect([inWorker, threads, make.mock.calls]).toEqual([false, 1, []]);
    const said = reasons.join();
    expect(said).toContain("Firefox may hang as it makes one in a worker: to have them, compile on the page itself. ");
    // Whoever passed it already has no use for it.
    expect(said).not.toContain("inWorker");
  },
);
