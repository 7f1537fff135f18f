import { stat } from "node:fs";
import { describe, expect, it } from "vitest";
import { paceOf, startWatch, systemTimers } from "../../src/core/stall-watch.ts";

/** A clock that is set by hand. */
function handClock() {
  let now = 0;
  const due = new Map<() => void, number>();
  return {
    due,
    after(ms: number, callback: () => void) {
      due.set(callback, now + ms);
      return () => void due.delete(callback);
    },
    /** Seconds that pass. */
    pass(seconds: number) {
      now += seconds * 1000;
      for (const [callback, time] of due) {
        if (time > now) continue;
        due.delete(callback);
        callback();
      }
    },
  };
}

/** So many bytes every so many seconds, until the watch gives up or ten hours are over. */
function fed(bytes: number, seconds: number, options = {}) {
  const clock = handClock();
  const watch = startWatch(paceOf("test", options), undefined, clock);
  watch.hear(0);
  let passed = 0;
  for (; passed < 36_000 && !watch.signal.aborted; passed += seconds) {
    clock.pass(seconds);
    watch.hear(bytes);
  }
  return { passed, stall: watch.stall };
}

describe("a watch over a request", () => {
  it("of a server that does not answer ends it after 30 s", () => {
    const clock = handClock();
    const watch = startWatch(paceOf("test", {}), undefined, clock);
    clock.pass(29.9);
    expect(watch.signal.aborted).toBe(false);
    clock.pass(0.2);
    expect([watch.signal.aborted, watch.stall]).toEqual([true, "no answer for 30 s"]);
  });

  it("of a head and nothing more ends it 30 s after the head", () => {
    const clock = handClock();
    const watch = startWatch(paceOf("test", {}), undefined, clock);
    clock.pass(20);
    watch.hear(0);
    clock.pass(20);
    expect(watch.signal.aborted).toBe(false);
    clock.pass(11);
    expect(watch.stall).toBe("nothing came for 30 s");
  });

  it("of a drip ends it after 30 s", () => {
    const stall = "only 29 bytes came in 30 s, at minBytesPerSecond: 100";
    expect(fed(1, 1)).toEqual({ passed: 30, stall });
    expect(fed(1, 29).passed).toBeLessThan(60);
    expect(fed(500, 10).stall).toBeDefined();
  });

  it("of a slow but honest line lets it be", () => {
    // 9,600 bit/s; the same shared by ten; a line that is dead for 25 s, then sends 10 KB.
    for (const [bytes, seconds] of [
      [1200, 1],
      [120, 1],
      [10_000, 25],
      [3000, 29],
    ] as const) {
      expect(fed(bytes, seconds)).toEqual({ passed: expect.any(Number), stall: undefined });
    }
  });

  it("is as strict as it is told", () => {
    expect(fed(1, 29, { minBytesPerSecond: 0 }).stall).toBeUndefined();
    expect(fed(900, 1, { minBytesPerSecond: 1000, stallTimeout: 5000 }).passed).toBe(5);
    expect(fed(1300, 1, { minBytesPerSecond: 1000, stallTimeout: 5000 }).stall).toBeUndefined();
    for (const wrong of [-1, Number.NaN, Infinity, "1", null]) {
      expect(() => paceOf("test", { minBytesPerSecond: wrong as number })).toThrow(/minBytesPerSecond/);
    }
  });

  it("leaves neither a timer nor a listener behind", () => {
    const clock = handClock();
    const watch = startWatch(paceOf("test", {}), undefined, clock);
    watch.hear(10_000);
    watch.hear(1);
    expect(clock.due.size).toBe(1);
    watch.stop();
    expect(clock.due.size).toBe(0);
  });

  it("hears what came while the program itself was busy before it blames the server", async () => {
    const watch = startWatch(paceOf("test", { stallTimeout: 20 }), undefined);
    watch.hear(0);
    const heard = new Promise<boolean>((done) => {
      // Ready long before the end of the loop below, and told of after the timers that are due by then.
      stat(".", () => {
        watch.hear(10_000);
        done(watch.signal.aborted);
      });
    });
    for (const end = performance.now() + 300; performance.now() < end; );
    expect([await heard, watch.stall]).toEqual([false, undefined]);
    await new Promise((done) => watch.signal.addEventListener("abort", done));
    expect(watch.stall).toBe("nothing came for 0.02 s");
    watch.stop();
  });

  it("may wait longer than a timer can", async () => {
    let isOver = false;
    const cancel = systemTimers.after(1e12, () => {
      isOver = true;
    });
    await new Promise((done) => setTimeout(done, 20));
    cancel();
    expect(isOver).toBe(false);
  });
});
