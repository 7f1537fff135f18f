/**
 * How other tools call the tensors of MobileNet V1, and how they lay them out. Ours are Keras' names and layouts.
 *
 * A map is one file; `names/table.ts` lists those of tools other than Keras.
 */

import type { Preprocessing } from "../../../core/preprocessing.ts";
import type { Rename } from "../../renamed.ts";
import type { KnownLayers } from "./expected.ts";
import type { V1Facts } from "./facts.ts";
import type { LayerSearch } from "./fitting.ts";

/** A row of the table as it is in the file: the stem, or the last layer of a block. */
export interface OwnBlock {
  readonly stride: number;
  readonly width: number;
}

/** What a family of files is known to be made with, where the file itself does not say. */
export interface FamilyDefaults {
  readonly padding: "same" | "keras" | "symmetric";
  readonly epsilon: number;
  readonly activation: "relu" | "relu6" | "leakyRelu";
  /** Of `leakyRelu`: at least 0, below 1. */
  readonly negativeSlope?: number;
  readonly channelRounding: "truncate" | "floor" | "divisible8";
  /** What differs from the library's defaults. */
  readonly preprocessing: Preprocessing;
  /** What is made of widths that no rule gives: of a graph, whose operations say all else, they may be its own. */
  readonly ownWidths?: (there: readonly OwnBlock[], known: KnownLayers, isAsked: boolean, from: string) => V1Facts;
  /** Where all this comes from, to be read after "assumed": "as timm builds mobilenetv1". */
  readonly why: string;
}

export interface NameMap {
  readonly family: string;
  /** Whether these are the names of this family. */
  matches(names: ReadonlySet<string>): boolean;
  /**
   * What each name of a file is to us.
   *
   * @param names all of the file: some are needed only if another is absent
   * @param search where the layers of the network are asked for
   */
  renamer(names: ReadonlySet<string>, search: LayerSearch): Rename;
  readonly defaults: FamilyDefaults;
}
