/** From groups to memory: how long each value lives, and where it lies. Shared by the plan and by `cost`. */

import { elementCount } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import { INPUT } from "../layers/node.ts";
import { type Lifetime, layOutArena } from "./arena.ts";
import type { Grouping } from "./fuse.ts";

export interface Memory {
  /** Offset of each value (by the head of its group, and the input) in elements. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly elements: number;
}

/**
 * Lays out all activations of a run.
 *
 * @param kept   values that must be whole when the run ends, by head
 * @param joined values that never lie here: the step that makes them runs as one with the next, which then reads
 *               what the first one reads
 */
export function layOutMemory(
  network: Pick<Network, "layers" | "shapes" | "outputs" | "inputShape">,
  grouping: Grouping,
  batch: number,
  kept: ReadonlySet<string>,
  joined: ReadonlySet<string> = new Set(),
): Memory {
  const end = grouping.groups.length;
  const lastRead = new Map<string, number>();
  grouping.groups.forEach((group, step) => {
    const isJoined = joined.has(group.head.name);
    for (const read of group.reads) lastRead.set(read, Math.max(lastRead.get(read) ?? 0, isJoined ? step + 1 : step));
  });
  const heads = [INPUT, ...grouping.groups.map(({ head }) => head.name)];
  const lifetimes: Lifetime[] = [];
  /** Which lifetime is that of a value. */
  const places = new Map<string, number>();
  for (const [index, head] of heads.entries()) {
    const to = kept.has(head) ? end : (lastRead.get(head) ?? index - 1);
    const step = index - 1;
    const { reads: [read = INPUT] = [], head: node } = grouping.groups[step] ?? {};
    const place = places.get(read);
    const shared = place === undefined ? undefined : lifetimes[place];
    // An activation whose input nobody needs afterwards runs in place.
    if (place !== undefined && shared?.to === step && node?.type === "activation" && read !== INPUT) {
      lifetimes[place] = { ...shared, to };
      places.set(head, place);
      continue;
    }
    places.set(head, lifetimes.length);
    const elements = joined.has(head) ? 0 : batch * elementCount(network.shapes.get(head) ?? []);
    lifetimes.push({ elements, from: step, to });
  }
  const { offsets, elements } = layOutArena(lifetimes);
  return { offsets: new Map([...places].map(([head, place]) => [head, offsets[place] ?? 0])), elements };
}
