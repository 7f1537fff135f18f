/** Two files that are halves of one network. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import type { SourceOptions } from "../sources/index.ts";
import type { OpenFile } from "../sources/open-file.ts";
import { joinGraphs } from "./join-graphs.ts";
import type { ModelFile } from "./model-file.ts";

export interface ReadFile {
  readonly file: OpenFile;
  readonly model: ModelFile;
}

/**
 * Reads two files and joins them: the second is opened when the first was read.
 *
 * @param options of the call; what the first took of `maxBytes` the second has not
 * @throws {DepthwiseError} `OPTION_INVALID` for options of a single file, and for files without operations; what `read`
 *         and `joinGraphs` throw
 */
export async function joinFiles<Source>(
  sources: readonly [Source, Source],
  { size, sha256, ...options }: SourceOptions,
  read: (source: Source, options: SourceOptions) => Promise<ReadFile>,
): Promise<ReadFile> {
  if (size !== undefined || sha256 !== undefined) {
    throw optionError("loadModel", size === undefined ? "sha256" : "size", "none for two files", size ?? sha256);
  }
  const first = await read(sources[0], options);
  const left = (options.maxBytes ?? 2 ** 31) - first.file.bytes.length;
  return joined(first, await read(sources[1], { ...options, maxBytes: Math.max(1, left) }));
}

function joined(first: ReadFile, second: ReadFile): ReadFile {
  const [a, b] = [first.model.content, second.model.content];
  if (a.kind !== "graph" || b.kind !== "graph") {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "loadModel: source",
      expected: "two files that hold operations, such as TFLite, to join them",
      found: `${first.model.format} and ${second.model.format}`,
      advice: "Pass the parts in the order in which the network runs.",
    });
  }
  const names = [first.file.name, second.file.name] as const;
  return {
    file: { ...first.file, name: names.join(" + ") },
    model: {
      format: first.model.format,
      content: joinGraphs(a, b, names),
      facts: { ...second.model.facts, ...first.model.facts },
      remarks: { first: first.model.remarks, second: second.model.remarks },
    },
  };
}
