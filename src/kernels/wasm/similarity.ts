/** Products of many rows with one, and of each with itself: what cosines are made of. */

import { access, float, type Local, type ModuleBuilder, moduleBuilder, op, set } from "./assembler/index.ts";
import { advance, type Lanes, loadLanes, locals, loop, multiplyAdd, put, sub } from "./emit.ts";
import { type ExportsOf, exported } from "./exports.ts";

/** Sums of their own for vectors beside each other: an addition takes four cycles, and two begin in each. */
const VECTORS = 4;

/** Bytes of what a row gives: four sums of x · q, and four of x · x, which have to be added up. */
export const SIMILARITY_BYTES = 32;

/** Of rows at `rows`, one behind the other, `features` floats each, with the row at `query`; results at `out`. */
function similarities(module: ModuleBuilder) {
  return exported(module, "similarities", ["rows", "query", "out", "count", "features"], (p, local) => {
    const { row, at, x, q, to } = locals(local, "i32", "row", "at", "x", "q", "to");
    const vectors = () => Array.from({ length: VECTORS }, () => local("v128"));
    const [dots, squares] = [vectors(), vectors()];
    const value = local("v128");
    const plain = { relaxed: false, shared: false };
    const accumulate = (lanes: Lanes, place: number) => {
      const [dot, square] = [dots[place] as Local<"v128">, squares[place] as Local<"v128">];
      return [
        set(value, loadLanes(lanes, x, 16 * place)),
        set(dot, multiplyAdd(plain, value, loadLanes(lanes, q, 16 * place), dot)),
        set(square, multiplyAdd(plain, value, value, square)),
      ];
    };
    const step = (lanes: Lanes, count: number) => [
      ...Array.from({ length: count }, (_, place) => accumulate(lanes, place)).flat(),
      advance(x, 4 * lanes * count),
      advance(q, 4 * lanes * count),
    ];
    const sum = (parts: readonly Local<"v128">[]) => {
      const [a, b, c, d] = parts as readonly [Local<"v128">, Local<"v128">, Local<"v128">, Local<"v128">];
      return op("f32x4.add", op("f32x4.add", a, b), op("f32x4.add", c, d));
    };
    return [
      put(x, p.rows),
      put(to, p.out),
      put(row, 0),
      loop(row, p.count, 1, [
        put(q, p.query),
        [...dots, ...squares].map((vector) => set(vector, op("f32x4.splat", float(0)))),
        put(at, 0),
        loop(at, sub(p.features, 4 * VECTORS - 1), 4 * VECTORS, step(4, VECTORS)),
        loop(at, sub(p.features, 3), 4, step(4, 1)),
        loop(at, p.features, 1, step(1, 1)),
        access("v128.store", 0, to, sum(dots)),
        access("v128.store", 16, to, sum(squares)),
        advance(to, SIMILARITY_BYTES),
      ]),
    ];
  });
}

/** The function, over a memory of its own of so many bytes. */
export function makeSimilarities(bytes: number) {
  const module = moduleBuilder({ shared: false });
  similarities(module);
  const pages = Math.ceil(bytes / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } });
  return { memory, ...(exports as ExportsOf<typeof similarities>) };
}
