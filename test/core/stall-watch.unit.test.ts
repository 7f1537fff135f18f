import { stat } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
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

  it("tells what came, counted from the last time that there was enough", () => {
    const clock = handClock();
    const watch = startWatch(paceOf("test", { minBytesPerSecond: 1, stallTimeout: 10_000 }), undefined, clock);
    watch.hear(7);
    watch.hear(9);
    clock.pass(9);
    watch.hear(1);
    clock.pass(9);
    expect([watch.signal.aborted, watch.stall]).toEqual([false, undefined]);
    watch.hear(3);
    watch.hear(4);
    clock.pass(1);
    expect(watch.stall).toBe("only 7 bytes came in 10 s, at minBytesPerSecond: 1");
  });

  it("asks for one byte, where it asks for none", () => {
    const clock = handClock();
    const watch = startWatch(paceOf("test", { minBytesPerSecond: 0 }), undefined, clock);
    watch.hear(0);
    clock.pass(20);
    watch.hear(0);
    clock.pass(9);
    watch.hear(1);
    clock.pass(29);
    expect(watch.stall).toBeUndefined();
    clock.pass(1);
    expect(watch.stall).toBe("nothing came for 30 s");
  });

  it("has a pace by default, and refuses what is none", () => {
    expect(paceOf("test", {})).toEqual({ stallTimeout: 30_000, minBytesPerSecond: 100 });
    expect(paceOf("test", { stallTimeout: 1, minBytesPerSecond: 0 })).toEqual({
      stallTimeout: 1,
      minBytesPerSecond: 0,
    });
    const invalid = (option: string, found: string) =>
      expect.objectContaining({
        code: "OPTION_INVALID",
        message: expect.stringContaining(found),
        fields: expect.objectContaining({ owner: "test", option }),
      });
    expect(() => paceOf("test", { minBytesPerSecond: "1" as never })).toThrow(
      invalid("minBytesPerSecond", 'expected a number from 0, found "1"'),
    );
    for (const found of [0, -1, Number.NaN]) {
      expect(() => paceOf("test", { stallTimeout: found })).toThrow(invalid("stallTimeout", String(found)));
    }
  });

  it("ends with the caller's signal, for their reason, and hears no more of it once it stopped", () => {
    const reason = new Error("enough");
    for (const isAborted of [true, false]) {
      const control = new AbortController();
      if (isAborted) control.abort(reason);
      const watch = startWatch(paceOf("test", {}), control.signal, handClock());
      control.abort(reason);
      expect([watch.signal.aborted, watch.signal.reason, watch.stall]).toEqual([true, reason, undefined]);
      watch.stop();
    }
    const control = new AbortController();
    const removed = vi.spyOn(control.signal, "removeEventListener");
    const watch = startWatch(paceOf("test", {}), control.signal, handClock());
    expect(removed).not.toHaveBeenCalled();
    watch.stop();
    expect(removed).toHaveBeenCalledOnce();
    expect(watch.signal).toMatchObject({ aborted: true, reason: { name: "AbortError" } });
  });
});

describe("the timers of the system", () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  /** One that runs, on a clock set by hand; while the program is busy it goes on, and no timer runs. */
  function timerOf(ms: number) {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    let busy = 0;
    const idle = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => idle() + busy);
    const called = vi.fn();
    const cancel = systemTimers.after(ms, called);
    return {
      cancel,
      /** How often it was called back once so many more milliseconds passed. */
      times(passed: number) {
        vi.advanceTimersByTime(passed);
        return called.mock.calls.length;
      },
      busyFor(more: number) {
        busy += more;
      },
    };
  }

  it("call back once, when the time is over", () => {
    const { times } = timerOf(1000);
    expect([times(999), times(2), times(100_000), vi.getTimerCount()]).toEqual([0, 1, 1, 0]);
  });

  it("give a program that was busy the time that it was late by, and no more than it waited", () => {
    const late = timerOf(1000);
    late.busyFor(300);
    expect([late.times(1000), late.times(299), late.times(1)]).toEqual([0, 0, 1]);
    const asleep = timerOf(1000);
    asleep.busyFor(1e9);
    expect([asleep.times(1000), asleep.times(999), asleep.times(1)]).toEqual([0, 0, 1]);
  });

  it("do not call back once they are cancelled, before or within the time given in addition", () => {
    for (const passed of [0, 500, 1100]) {
      const { cancel, times, busyFor } = timerOf(1000);
      busyFor(300);
      times(passed);
      cancel();
      expect([times(1e6), vi.getTimerCount()]).toEqual([0, 0]);
    }
  });

  it("wait as long as they can, where it should be longer", () => {
    const { times } = timerOf(1e12);
    expect([times(2 ** 31 - 2), times(2)]).toEqual([0, 1]);
  });
});
