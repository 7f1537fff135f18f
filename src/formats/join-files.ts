/** Two files that are halves of one network. */

import { DepthwiseError } from "../core/errors.ts";
import type { OpenFile } from "../sources/open-file.ts";
import { joinGraphs } from "./join-graphs.ts";
import type { ModelFile } from "./model-file.ts";

export interface ReadFile {
  readonly file: OpenFile;
  readonly model: ModelFile;
}

/** @throws {DepthwiseError} `OPTION_INVALID` for files without operations; what `joinGraphs` throws */
export function joinFiles(first: ReadFile, second: ReadFile): ReadFile {
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
