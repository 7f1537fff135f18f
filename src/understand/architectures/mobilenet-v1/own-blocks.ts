/** Blocks of a network's own, which a graph shows, as options of the builder. */

import { inferred } from "../../../formats/fact.ts";
import { MOBILENET_V1_BLOCKS, type MobileNetV1Options, shallowBlocks } from "../../../models/index.ts";
import type { KnownLayers } from "./expected.ts";
import type { V1Facts } from "./facts.ts";
import type { OwnBlock } from "./name-map.ts";

/**
 * The blocks that are there. Of a network that the caller calls shallow they stand in the places that it keeps, and the
 * others are the table's: `shallow: true` leaves these out again.
 *
 * @param there   one row a block of the graph
 * @param isAsked whether the caller says that it is shallow; otherwise a network of its own blocks is none
 */
export function blockFacts(
  there: NonNullable<MobileNetV1Options["blocks"]>,
  { shallow = false, blocks = MOBILENET_V1_BLOCKS }: KnownLayers,
  isAsked: boolean,
  from: string,
): V1Facts {
  if (!shallow || !isAsked)
    return { blocks: inferred(there, from), ...(shallow && { shallow: inferred(false, from) }) };
  const kept = shallowBlocks([...blocks.keys()]);
  return {
    blocks: inferred(
      blocks.map((block, i) => there[kept.indexOf(i)] ?? block),
      from,
    ),
  };
}

/** The stem and the blocks by the widths that are there. */
export function ownWidthFacts(there: readonly OwnBlock[], known: KnownLayers, isAsked: boolean, from: string): V1Facts {
  const [stem, ...blocks] = there.map(({ stride, width }) => ({ stride, filters: width }));
  return {
    ...{ alpha: inferred(1, from), channelRounding: inferred("truncate", from) },
    ...blockFacts(blocks, known, isAsked, from),
    ...(stem && { stem: inferred(stem, from) }),
  };
}
