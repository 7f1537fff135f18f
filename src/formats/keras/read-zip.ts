/** `.keras` archives of Keras 3: a zip of `config.json`, `metadata.json` and `model.weights.h5`. */

import { fileError } from "../../core/file-error.ts";
import { isObject } from "../../core/json.ts";
import { budgetOf, type DecodedBudget, textWithin } from "../../sources/decoded-budget.ts";
import type { OpenFile } from "../../sources/open-file.ts";
import { openHdf5 } from "../hdf5/hdf5.ts";
import type { ModelFile, ReadContext } from "../model-file.ts";
import type { ZipEntry } from "../zip/zip.ts";
import { parseConfig } from "./config.ts";
import { weightsByPosition } from "./numbered-weights.ts";
import { graphFromKeras } from "./topology.ts";

const CONFIG = "config.json";
const METADATA = "metadata.json";
const WEIGHTS = "model.weights.h5";

export function isKerasArchive(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return entries.has(CONFIG) && (entries.has(WEIGHTS) || entries.has(METADATA));
}

/**
 * Reads an archive that `openZip` opened.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TRUNCATED`, `FILE_TOO_LARGE`, `ARCHITECTURE_UNKNOWN`,
 *         `FORMAT_UNKNOWN` for an archive without weights in HDF5
 */
export async function readKerasArchive(
  entries: ReadonlyMap<string, ZipEntry>,
  file: OpenFile,
  context: ReadContext,
): Promise<ModelFile> {
  const weights = entries.get(WEIGHTS);
  if (weights === undefined) {
    throw fileError("FORMAT_UNKNOWN", file.name, "", "Save the model with Keras 3: model.save.", {
      expected: `a Keras archive with ${WEIGHTS}`,
      found: [...entries.keys()].slice(0, 5).join(", "),
    });
  }
  const { name } = file;
  const budget = budgetOf(context);
  const config = readJson(entries, CONFIG, name, budget);
  const root = openHdf5(weights.read(), `${name}: ${WEIGHTS}`, { ...context, budget });
  const { weightsOf, naming } = await weightsByPosition(root, config, name);
  const { graph, facts } = graphFromKeras(config, weightsOf, { name });
  const remarks = { ...metadataOf(entries, name, budget), weightNames: naming };
  return { format: "Keras 3 archive", content: graph, facts, remarks };
}

function readJson(entries: ReadonlyMap<string, ZipEntry>, entry: string, file: string, budget: DecodedBudget): unknown {
  const bytes = entries.get(entry)?.read() ?? new Uint8Array();
  return parseConfig(textWithin(budget, file, bytes, entry), file, entry, budget);
}

function metadataOf(
  entries: ReadonlyMap<string, ZipEntry>,
  file: string,
  budget: DecodedBudget,
): Record<string, unknown> {
  const metadata = entries.has(METADATA) ? readJson(entries, METADATA, file, budget) : {};
  if (!isObject(metadata)) return {};
  const { keras_version: version, date_saved: saved } = metadata;
  return {
    ...(typeof version === "string" ? { kerasVersion: version } : {}),
    ...(typeof saved === "string" ? { dateSaved: saved } : {}),
  };
}
