/**
 * How threads wait for one another: a gate is a number that grows, and a count of those asleep before it. To pass,
 * a thread looks at the number for a while, then sleeps; whoever opens the gate wakes sleepers only if there are any.
 * A barrier is a gate that the last to arrive opens.
 */

import { access, call, drop, int, long, type ModuleBuilder, when } from "./assembler/index.ts";
import { add, below, both, equal, locals, loopWhile, put, sub } from "./emit.ts";
import { exported } from "./exports.ts";

/** Bytes between words that different threads write, so that they lie in different cache lines. */
const LINE = 128;
/** A gate: its number, and the count of sleepers a line further. */
export const SLEEPERS = LINE;
export const GATE_BYTES = 2 * LINE;
/** A barrier: the arrivals, and its gate a line further. */
export const BARRIER_GATE = LINE;
export const BARRIER_BYTES = LINE + GATE_BYTES;

/**
 * Exports `open(gate)`, `pass(gate, seen, spins, maySleep)` and `arrive(barrier, threads, spins, maySleep)`; the last
 * two give 1 if the gate is open and 0 if it is not yet, which happens only to those that may not sleep.
 */
export function gate(module: ModuleBuilder) {
  const open = exported(module, "open", ["gate"], (p) => [
    drop(access("i32.atomic.rmw.add", 0, p.gate, int(1))),
    when(access("i32.atomic.load", SLEEPERS, p.gate), [
      drop(access("memory.atomic.notify", 0, p.gate, int(0x7fff_ffff))),
    ]),
  ]);
  const pass = exported(
    module,
    "pass",
    ["gate", "seen", "spins", "maySleep"],
    (p) => {
      const isShut = equal(access("i32.atomic.load", 0, p.gate), p.seen);
      return [
        loopWhile(both(isShut, below(0, p.spins)), [put(p.spins, sub(p.spins, 1))]),
        when(both(isShut, p.maySleep), [
          drop(access("i32.atomic.rmw.add", SLEEPERS, p.gate, int(1))),
          loopWhile(isShut, [drop(access("memory.atomic.wait32", 0, p.gate, p.seen, long(-1)))]),
          drop(access("i32.atomic.rmw.add", SLEEPERS, p.gate, int(-1))),
        ]),
        equal(isShut, 0),
      ];
    },
    "i32",
  );
  const arrive = exported(
    module,
    "arrive",
    ["barrier", "threads", "spins", "maySleep"],
    (p, local) => {
      const { seen } = locals(local, "i32", "seen");
      const atGate = add(p.barrier, BARRIER_GATE);
      return [
        put(seen, access("i32.atomic.load", BARRIER_GATE, p.barrier)),
        when(equal(add(access("i32.atomic.rmw.add", 0, p.barrier, int(1)), 1), p.threads), [
          access("i32.atomic.store", 0, p.barrier, int(0)),
          call(open, { gate: atGate }),
        ]),
        call(pass, { gate: atGate, seen, spins: p.spins, maySleep: p.maySleep }),
      ];
    },
    "i32",
  );
  return [open, pass, arrive];
}
