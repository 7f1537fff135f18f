/** Which of several files is the model, where a directory or a list of files is given. */

import { DepthwiseError } from "../core/errors.ts";

interface Kind {
  readonly matches: (name: string) => boolean;
  /** The one to take when there are several. */
  readonly preferred?: readonly string[];
}

const isKerasWeights = (name: string) => name.endsWith(".weights.h5");

/** The best first: what says most of the network before what is bare weights. Names are in lower case. */
const KINDS: readonly Kind[] = [
  { matches: (name) => name === "model.json" },
  { matches: (name) => name.endsWith(".safetensors"), preferred: ["model.safetensors"] },
  {
    matches: (name) => /\.(h5|hdf5|keras)$/.test(name) && !isKerasWeights(name),
    preferred: ["model.keras", "tf_model.h5"],
  },
  { matches: (name) => name.endsWith(".tflite"), preferred: ["model.tflite"] },
  { matches: (name) => name.endsWith(".onnx"), preferred: ["model.onnx"] },
  { matches: (name) => name.endsWith(".pb"), preferred: ["saved_model.pb"] },
  { matches: (name) => /\.(pt|pth|bin)$/.test(name), preferred: ["pytorch_model.bin"] },
  { matches: isKerasWeights },
];

const SHOWN = 20;

/**
 * The index of the model among files, given by their names without directories.
 *
 * @param place how the directory or list is called in messages
 * @throws {DepthwiseError} `FILE_NOT_FOUND` if none looks like a model or several do, listing what is there
 */
export function chooseHead(place: string, names: readonly string[]): number {
  const lower = names.map((name) => name.toLowerCase());
  for (const { matches, preferred = [] } of KINDS) {
    const found = [...lower.keys()].filter((index) => matches(lower[index] ?? ""));
    const favourite = preferred
      .map((name) => found.filter((index) => lower[index] === name))
      .find((few) => few.length === 1);
    const [head] = favourite ?? found;
    if (head === undefined) continue;
    if (favourite !== undefined || found.length === 1) return head;
    const several = found.map((index) => names[index] ?? "");
    throw notChosen(place, "one model", `${found.length}: ${listed(several)}`, names);
  }
  throw notChosen(
    place,
    "a model (model.json, .safetensors, .h5, .keras, .tflite, .onnx, .pb, .pt, .pth)",
    listed(names),
    names,
  );
}

/** Names for a message, not too many. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return "no file";
  const rest = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${rest}`;
}

function notChosen(place: string, expected: string, found: string, names: readonly string[]): DepthwiseError {
  return new DepthwiseError("FILE_NOT_FOUND", {
    what: place,
    expected,
    found,
    advice: "Pass the file itself.",
    fields: { names: [...names] },
  });
}
