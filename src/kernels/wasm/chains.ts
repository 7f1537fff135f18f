/** Multiply-adds over registers alone: the most that SIMD can do, and the sign by which one tells how wide it is. */

import { access, float, moduleBuilder, op, set } from "./assembler/index.ts";
import { accumulate, countDown, type Features, loadRegister, type RegisterLanes, register } from "./emit.ts";
import { type Callable, exported } from "./exports.ts";

/** All registers but one for the factor: four multiply-adds a cycle, of four cycles each, would want sixteen sums. */
const SUMS = 14;
const UNROLL = 4;

/** Runs so many turns. */
export type Chains = Callable<ReturnType<typeof addChains>>;

/** Operations of a turn, two a multiply-add. */
export const turnOperations = (lanes: RegisterLanes): number => 2 * UNROLL * SUMS * lanes;

/**
 * Chains of sums in registers of so many lanes. Each binary is another one, in all realms of the process: V8 gives code
 * that it has for the same bytes, though a switch was turned meanwhile.
 */
export function makeChains(lanes: RegisterLanes, features: Features): Chains {
  const module = moduleBuilder({ shared: false });
  addChains(module, lanes, features);
  module.func(`chains-${Math.random()}`, {}, () => []);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } });
  return exports["chains"] as Chains;
}

function addChains(module: ReturnType<typeof moduleBuilder>, lanes: RegisterLanes, features: Features) {
  return exported(module, "chains", ["turns", "at"], (p, local) => {
    const sums = Array.from({ length: SUMS }, () => register(local, lanes));
    const factor = local("v128");
    const factors = Array.from({ length: lanes / 4 }, () => factor);
    // sum = sum · factor + factor: nothing that a compiler could take out of the loop.
    const turn = sums.map((sum) => accumulate(features, sum, factors, sum));
    // Each 32 bytes behind the last: single vectors beside each other V8 would join as well.
    return [
      set(factor, op("f32x4.splat", float(0.999))),
      sums.map((sum, i) => loadRegister(sum, p.at, 32 * i)),
      countDown(p.turns, Array.from({ length: UNROLL }, () => turn).flat()),
      sums.map((sum, i) =>
        [...sum.entries()].reverse().map(([j, vector]) => access("v128.store", 32 * i + 16 * j, p.at, vector)),
      ),
    ];
  });
}
