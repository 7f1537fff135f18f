/**
 * The value of `fill` is used only where the array is made in the same expression. Firefox (153 ESR, optimized code)
 * takes `a.subarray(from, to).fill(0)` for `a` itself: the right numbers are filled, and whoever goes on with the value
 * writes at the beginning of the memory. See `zeroed` in kernels/wasm/pack.ts and test/browser/several-networks.differential.test.ts.
 */

import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { parseAst } from "vitest/node";

const src = resolve(import.meta.dirname, "../../src");

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [child: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

const childrenOf = (node: Node): readonly Node[] => Object.values(node).flat().filter(isNode);

/** Lines that use the value of a `fill` on an array that was there before. */
function fillsUsed(text: string): readonly number[] {
  const found: number[] = [];
  const visit = (node: Node, parent?: Node): void => {
    const { callee } = node;
    if (node.type === "CallExpression" && isNode(callee) && callee.type === "MemberExpression") {
      const { property, object } = callee as { readonly property?: unknown; readonly object?: unknown };
      const name = isNode(property) ? (property["name"] ?? property["value"]) : undefined;
      const isUsed = parent?.type !== "ExpressionStatement";
      if (name === "fill" && isUsed && !isMadeHere(object)) found.push(text.slice(0, node.start).split("\n").length);
    }
    for (const child of childrenOf(node)) visit(child, node);
  };
  visit(parseAst(text, { lang: "ts" }) as object as Node);
  return found;
}

/** `new Float32Array(…)`, `Array(…)`. */
function isMadeHere(made: unknown): boolean {
  if (!isNode(made)) return false;
  const { type, callee } = made;
  return type === "NewExpression" || (type === "CallExpression" && isNode(callee) && callee["name"] === "Array");
}

it("finds the shape, in one expression and in two, and lets others be", () => {
  const wrong = [
    "const t = memory.subarray(at / 4, at / 4 + n).fill(0);",
    "const view = memory.subarray(at);\nconst t = view.fill(0);",
    "return (view(at) as Float32Array).fill(0)!;",
    "use(a.subarray(1)['fill'](0));",
    "const f = () => a.subarray(1).fill(0);",
  ];
  for (const text of wrong) expect(fillsUsed(`function f() {\n${text}\n}`), text).toHaveLength(1);
  const right = [
    "memory.fill(0, start, end);",
    "const t = new Float32Array(b, at, n).fill(0);",
    "g(Array(3).fill(1));",
  ];
  for (const text of right) expect(fillsUsed(text), text).toEqual([]);
});

it("uses the value of fill nowhere in src but on arrays made in the same expression", () => {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const found = files.flatMap((file) =>
    fillsUsed(readFileSync(resolve(src, file), "utf8")).map((line) => `src/${file}:${line}`),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
