/** Every file beside the project, picked in Chromium and Firefox: described as in Node, and with the reference's logits. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import type { MisbehavingServer } from "../fixtures/misbehaving-server.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "./browsers.ts";
import { bundle, serveBundle } from "./readers-bundle.ts";
import type { LoadRequest, RunRequest } from "./readers-page.ts";

interface Case {
  /** In `weights/` or `derived/`; two are joined, a folder is all of its files. */
  readonly files: readonly string[];
  readonly size: 96 | 128 | 160 | 224;
  readonly feed: RunRequest["feed"];
  /** Whose logits the reference has. */
  readonly network: string;
  /** These weights rounded to float16, with which the reference computed. */
  readonly rounded?: string;
  /** Logits of the file's own runtime in place of the network's. */
  readonly original?: string;
}

const signed = (network: string, size: Case["size"], files: string | readonly string[], more: Partial<Case> = {}) =>
  ({ files: [files].flat(), size, feed: "signed", network, ...more }) satisfies Case;

const HALVES = ["mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", "mobilenet_quant_v1_224_head_layers.tflite"];

const CASES: readonly Case[] = [
  signed("v1-0.25-128", 128, "mobilenet_v1_0.25_128_quant.tflite"),
  signed("v1-0.5-160", 160, "mobilenet_v1_0.5_160_quant.tflite"),
  signed("v1-1.0-224", 224, HALVES, { rounded: "mobilenet_v1_1.0_224_f16.safetensors" }),
  signed("v1-0.25-224", 224, "mobilenet_v1_0.25_224_1_default_1.tflite", {
    rounded: "mobilenet_v1_0.25_224_f16.safetensors",
  }),
  signed("v1-0.25-128-frozen", 128, "mobilenet_v1_0.25_128_frozen_graph.pb"),
  signed("v1-0.25-224-unfolded", 224, "tfjs_layers_0.25_224/"),
  signed("v1-0.25-224", 224, "tfjs_graph_0.25_224/", { original: "tfjs_graph_0.25_224.logits.f32" }),
  signed("v1-0.25-224-torch", 224, "mobilenetV1X0.25_pretrain.tar", { feed: "imagenet" }),
  signed("vww-0.25-96", 96, "vww_96.h5", { feed: "unit" }),
  signed("vww-0.25-96", 96, "vww_96_float.tflite", { feed: "unit" }),
  signed("v1-0.25-128", 128, "mobilenet_v1_0.25_128.safetensors"),
  signed("v1-0.25-224", 224, "mobilenet_v1_0.25_224_f16.safetensors"),
  signed("v1-0.25-224-unfolded", 224, "mobilenet_v1_0.25_224_unfolded.safetensors"),
  signed("v1-1.0-224", 224, "mobilenet_v1_1.0_224_f16.safetensors"),
  signed("v1-0.25-224-unfolded", 224, "mobilenet_v1_0.25_224_first100.onnx"),
];

const REFUSED = [
  ["mobilenetv3sm_Final.pth", "ARCHITECTURE_UNKNOWN"],
  ["keras_lstm_mnist_ptq.tflite", "ARCHITECTURE_UNKNOWN"],
  ["tfjs_layers_0.25_224_no_topology/", "FILE_NOT_FOUND"],
] as const;

/** Networks of their own, as their graphs spell them out. */
const OWN = [
  "person_detect.tflite",
  "mobilenet_v2_1.0_224_quant.tflite",
  "kws_ref_model_float32.tflite",
  "pretrainedResnet_quant.tflite",
  "mobilenet_quant_v1_224_head_layers.tflite",
];

/** Files whose answers are compared with other files' instead. */
const WITHOUT_LOGITS = ["mobilenet_2_5_224_tf_no_top.h5", "vww_96_int8.tflite"];

/** The first few; the networks of 96 and 160 have no more in the reference. */
const PICTURES = 6;

const root = sharedRoot ?? "";
const FOLDERS = ["weights", "derived"];

/** The files that a person would pick. */
function paths(file: string): readonly string[] {
  if (!file.endsWith("/")) return FOLDERS.map((folder) => join(root, folder, file)).filter(exists);
  const folder = join(root, "weights", file);
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

function exists(path: string): boolean {
  return readdirSync(dirname(path)).includes(basename(path));
}

function floats(...path: readonly string[]): Float32Array {
  const bytes = readFileSync(join(root, "reference", ...path));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

interface Index {
  readonly networks: Record<string, { readonly logits: string; readonly float32_against_float64: number }>;
}

const sourceOf = (files: readonly string[]): LoadRequest["source"] =>
  files.length === 2 ? "pair" : files[0]?.endsWith("/") ? "list" : "file";

/** The same Files, in Node and from the sources. */
function loadInNode(files: readonly string[]) {
  const picked = files.flatMap(paths).map((path) => new File([readFileSync(path)], basename(path)));
  const source = sourceOf(files);
  return loadModel(source === "file" ? (picked[0] as File) : source === "pair" ? (picked as [File, File]) : picked);
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

let server: MisbehavingServer;

beforeAll(async () => {
  if (sharedRoot !== undefined) server = await serveBundle(await bundle());
});
afterAll(() => server?.[Symbol.asyncDispose]());

describeShared("every file beside the project", () => {
  describeInBrowsers("picked", (kind) => {
    let browser: TestBrowser;
    let page: TestPage;
    beforeAll(async () => {
      browser = await kind.launch();
      page = await browser.open(server.url, "load");
    });
    afterAll(() => browser?.close());

    async function load(files: readonly string[]) {
      await page.pick("model", files.flatMap(paths));
      const request: LoadRequest = { source: sourceOf(files) };
      return page.ask((asked) => window.load(asked), request);
    }

    async function run(size: Case["size"], request: Pick<RunRequest, "feed" | "output">) {
      await page.pick("pictures", [join(root, "reference", `inputs-${size}.bin`)]);
      const whole: RunRequest = { ...request, pictures: PICTURES, backend: "wasm" };
      return page.ask((asked) => window.run(asked), whole);
    }

    const { networks }: Index =
      sharedRoot === undefined
        ? { networks: {} }
        : JSON.parse(readFileSync(join(root, "reference", "index.json"), "utf8"));

    it.each(CASES.map((one) => [one.files.join(" + "), one] as const))(
      "%s is described as in Node and gives the logits of its weights",
      async (_name, { files, size, feed, network, rounded, original }) => {
        const { description, failure } = await load(files);
        expect(failure).toBeUndefined();
        expect(description).toEqual(plain(describeModel(await loadInNode(files))));
        if (rounded !== undefined) {
          await page.pick("other", paths(rounded));
          expect(await page.ask(() => window.round(), undefined)).toEqual([]);
        }
        const { logits, float32_against_float64: noise } = networks[network]!;
        const expected = original === undefined ? floats(logits) : floats("outputs", "originals", original);
        const rows = await run(size, { feed });
        const pictures = readFileSync(join(root, "reference", `inputs-${size}.bin`)).length / (size * size * 3);
        const width = expected.length / pictures;
        for (const [p, row] of rows.entries()) {
          const reference = expected.subarray(p * width, p * width + row.length);
          expect(row.length).toBe(description?.decisions.find(({ name }) => name === "classes")?.value);
          expect(reference.length).toBe(row.length);
          const apart = row.map((value, i) => Math.abs(value - reference[i]!));
          expect(Math.max(...apart), `picture ${p}`).toBeLessThanOrEqual(8 * noise);
          expect(row.indexOf(Math.max(...row)), `picture ${p}`).toBe(reference.indexOf(Math.max(...reference)));
        }
        expect(rows).toHaveLength(PICTURES);
      },
    );

    it("weights without a classifier give the features of the same network with one, bit for bit", async () => {
      const features = async (file: string) => {
        const { description, failure } = await load([file]);
        expect(failure).toBeUndefined();
        expect(description).toEqual(plain(describeModel(await loadInNode([file]))));
        return run(224, { feed: "signed", output: "embedding" });
      };
      const bare = await features("mobilenet_2_5_224_tf_no_top.h5");
      expect(bare).toEqual(await features("tfjs_layers_0.25_224/"));
      expect(bare[0]).toHaveLength(256);
    });

    it("a quantized network differs from the same network in floats by its rounding alone", async () => {
      const logits = async (file: string) => {
        const { description } = await load([file]);
        expect(description).toEqual(plain(describeModel(await loadInNode([file]))));
        return (await run(96, { feed: "unit" })).flat();
      };
      const [float, int8] = [await logits("vww_96_float.tflite"), await logits("vww_96_int8.tflite")];
      const apart = Math.max(...float.map((value, i) => Math.abs(value - int8[i]!)));
      expect(apart).toBeGreaterThan(0);
      // 0.149 is what TensorFlow Lite's integers give against the same logits.
      expect(apart).toBeLessThan(0.15);
    });

    it.each(OWN)("%s is the same network of its own as in Node", async (file) => {
      const { description, failure } = await load([file]);
      expect(failure).toBeUndefined();
      expect(description).toEqual(plain(describeModel(await loadInNode([file]))));
    });

    it.each(REFUSED)("%s is refused in the words of Node, as %s", async (file, code) => {
      const { failure } = await load([file]);
      const inNode: unknown = await loadInNode([file]).catch((error: unknown) => error);
      expect(inNode).toBeInstanceOf(DepthwiseError);
      expect(failure).toMatchObject({ code, message: (inNode as DepthwiseError).message });
    });

    it("leaves no file out, and the page complains of nothing", () => {
      const tried = new Set([...CASES.flatMap(({ files }) => files), ...OWN, ...REFUSED.map(([file]) => file)]);
      const there = FOLDERS.flatMap((folder) =>
        readdirSync(join(root, folder), { withFileTypes: true })
          .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
          .filter((name) => !/^(README\.md|files\.json|imagenet_labels_1001\.txt|tools\/)$/.test(name)),
      );
      expect(there.filter((file) => !tried.has(file) && !WITHOUT_LOGITS.includes(file))).toEqual([]);
      expect(there.length).toBe(new Set([...tried, ...WITHOUT_LOGITS]).size);
      expect(page.complaints).toEqual([]);
    });
  });
});
