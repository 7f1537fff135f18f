/** `depthwise convert`: a file of another tool as safetensors or a TensorFlow.js layers model. */

import { extname } from "node:path";
import { Command } from "commander";
import { DepthwiseError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { describe } from "../weights/describe.ts";
import { foldBatchNorm } from "../weights/fold-batch-norm.ts";
import { encodeModel, saveModel } from "../weights/save-model.ts";
import { saveTfjs } from "../weights/write-tfjs.ts";
import { choice } from "./flags.ts";
import { addLoadOptions, type LoadFlags, loadFrom } from "./load.ts";
import { isTerminal, print, printAside, printBytes } from "./print.ts";

interface Flags extends LoadFlags {
  readonly to?: "safetensors" | "tfjs";
  readonly dtype?: "F32" | "F16" | "I8";
  readonly fold?: boolean;
}

export function convertCommand(): Command {
  const command = new Command("convert")
    .description("read any file of weights, write safetensors or a TensorFlow.js layers model")
    .argument(
      "<files...>",
      "what to read (digits, cifar10, a file, a directory, an address, keras:mobilenet_1_0_224_tf, hf:owner/name or - for standard input; or two halves), then what to write: OUT.safetensors, a directory for TensorFlow.js, or - for safetensors on standard output",
    );
  command
    .addOption(choice("--to <format>", "in place of what the name says", ["safetensors", "tfjs"]))
    .addOption(
      choice(
        "--dtype <type>",
        "of kernels in safetensors: F16 halves the size, I8 (with a scale a channel) takes a quarter",
        ["F32", "F16", "I8"],
      ),
    )
    .option("--fold", "put batch norms into the layers before them");
  return addLoadOptions(command).action(async (paths: readonly string[], flags: Flags) => {
    const files = paths.slice(0, -1);
    const out = paths.at(-1) ?? "";
    const to = flags.to ?? formatOf(out);
    if (files.length === 0 || files.length > 2) {
      throw new DepthwiseError("OPTION_INVALID", {
        what: "convert: files",
        expected: "a file to read and one to write, or two halves and one to write",
        found: `${paths.length} in all`,
        advice: "Call it as: depthwise convert FILE OUT.safetensors",
      });
    }
    if (to === "tfjs" && flags.dtype !== undefined && flags.dtype !== "F32") {
      throw new DepthwiseError("OPTION_INVALID", {
        what: "convert: --dtype",
        expected: "F32 for TensorFlow.js",
        found: flags.dtype,
        advice: "Write safetensors for a smaller file.",
      });
    }
    const isStream = out === "-";
    if (isStream) checkStream(to);
    const loaded = await loadFrom(files, flags);
    const model = flags.fold === true ? foldBatchNorm(loaded) : loaded;
    const { dtype, signal } = flags;
    const options = dtype === undefined ? {} : { dtype };
    if (to === "tfjs") await saveTfjs(model, out, { signal });
    else if (isStream) await printBytes(encodeModel(model, options), signal);
    else await saveModel(model, out, { ...options, signal });
    const { doubts, format } = describe(model);
    const say = isStream ? printAside : print;
    const name = isStream ? "standard output" : out;
    say([visible(`${name}: ${model.name} from ${format}`), ...doubts.map((doubt) => `  ${visible(doubt)}`)]);
  });
}

/** A stream holds one file, and a terminal would obey it. */
function checkStream(to: "safetensors" | "tfjs"): void {
  if (to === "safetensors" && !isTerminal()) return;
  throw new DepthwiseError("OPTION_INVALID", {
    what: "convert: -",
    expected: to === "tfjs" ? "a directory for TensorFlow.js" : "standard output that leads to a file or a program",
    found: to === "tfjs" ? "standard output" : "a terminal",
    advice:
      to === "tfjs"
        ? "Pass ./- for a directory of that name."
        : "Redirect it: depthwise convert FILE - > OUT.safetensors",
  });
}

/** A name with the ending of another format would become a directory; its user expects something else. */
function formatOf(out: string): "safetensors" | "tfjs" {
  const ending = extname(out).toLowerCase();
  if (ending === ".safetensors" || out === "-") return "safetensors";
  if (!/^\.(h5|hdf5|keras|tflite|onnx|pb|pt|pth|bin|json)$/.test(ending)) return "tfjs";
  throw new DepthwiseError("OPTION_INVALID", {
    what: "convert: what to write",
    expected: "a name that ends in .safetensors, or a directory for TensorFlow.js",
    found: JSON.stringify(out),
    advice: "Other formats are not written. Pass --to tfjs if a directory may be called so.",
  });
}
