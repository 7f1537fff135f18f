/**
 * How fast is the reference backend beside TensorFlow.js' cpu backend? Both plain JavaScript, one thread, the same
 * network and the same weights, batch norm folded for both.
 *
 * Correctness first (logits agree), then time: each contender in a process of its own, rounds in turn, medians.
 * `npm run build` in the project, then `npm install && npm run bench` here. Writes results/plain-backend.{md,json}.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg } from "node:os";

const require = createRequire(import.meta.url);
const NETWORKS = JSON.parse(readFileSync(new URL("shapes/mobilenet-v1.json", import.meta.url), "utf8"));
const CONTENDERS = ["depthwise", "tfjs-cpu"];
const PROCESSES = Number(process.env.PROCESSES ?? 5);
/** Timed runs a process and warm-up in ms. */
const [RUNS, WARM_MS] = [12, 1500];

if (process.argv[2] !== undefined) {
  process.stdout.write(JSON.stringify(await measure(process.argv[2], NETWORKS[Number(process.argv[3])])));
} else {
  main();
}

function main() {
  const rows = NETWORKS.map((network, index) => {
    const samples = Object.fromEntries(CONTENDERS.map((name) => [name, []]));
    const logits = {};
    for (let round = 0; round < PROCESSES; round++) {
      const order = round % 2 === 0 ? CONTENDERS : [...CONTENDERS].reverse();
      for (const name of order) {
        const out = execFileSync(
          process.execPath,
          [import.meta.filename ?? new URL(import.meta.url).pathname, name, String(index)],
          { maxBuffer: 1e8, stdio: ["ignore", "pipe", "ignore"] },
        );
        const result = JSON.parse(out);
        samples[name].push(median(result.times));
        logits[name] = result.logits;
      }
    }
    const difference = Math.max(...logits.depthwise.map((value, i) => Math.abs(value - logits["tfjs-cpu"][i])));
    if (!(difference < 1e-3))
      throw new Error(`The logits differ by ${difference}: nothing is timed that is not the same.`);
    const ratios = samples.depthwise.map((ms, i) => ms / samples["tfjs-cpu"][i]);
    return { network: network.name, difference, samples, ratio: median(ratios), ratios };
  });
  const about = {
    date: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    load: loadavg(),
    threads: 1,
    versions: {
      depthwise: require("../package.json").version,
      "tfjs-core": require("@tensorflow/tfjs-core/package.json").version,
    },
    processes: PROCESSES,
    runs: RUNS,
    warmMs: WARM_MS,
  };
  const table = [
    `Node ${about.node}, ${about.cpu}, ${about.cores} cores, load ${about.load[0].toFixed(2)}; depthwise ${about.versions.depthwise}, tfjs ${about.versions["tfjs-core"]}; medians of ${PROCESSES} processes.`,
    "",
    "| network | depthwise reference, ms | tfjs cpu, ms | ratio (smallest to largest) |",
    "|---|---:|---:|---:|",
    ...rows.map(
      ({ network, samples, ratio, ratios }) =>
        `| ${network} | ${median(samples.depthwise).toFixed(1)} | ${median(samples["tfjs-cpu"]).toFixed(1)} | ${ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}) |`,
    ),
    "",
  ].join("\n");
  const name = `results/plain-backend-node${process.versions.node.split(".")[0]}`;
  writeFileSync(new URL(`${name}.json`, import.meta.url), `${JSON.stringify({ about, rows }, null, 1)}\n`);
  writeFileSync(new URL(`${name}.md`, import.meta.url), table);
  process.stdout.write(table);
}

/** Times of single runs, and the logits of one image. */
async function measure(name, { alpha, resolution }) {
  const { compile, mobileNetV1, tensor } = await import("../dist/esm/index.js");
  const model = mobileNetV1({ alpha, resolution, batchNorm: false, classes: 1001 });
  const image = Float32Array.from({ length: resolution * resolution * 3 }, (_, i) => Math.sin(i));
  const shape = [1, resolution, resolution, 3];
  let run;
  if (name === "depthwise") {
    const session = await compile(model, { backend: "reference" });
    run = async () => (await session.run(tensor(image, shape))).logits.data;
  } else {
    run = await tfjs(model, image, shape);
  }
  const logits = [...(await run())];
  const warm = performance.now();
  while (performance.now() - warm < WARM_MS) await run();
  const times = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return { times, logits };
}

/** The same layers on TensorFlow.js, with its fused convolutions. */
async function tfjs(model, image, shape) {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  const weights = new Map([...model.parameters].map(([key, { data, shape }]) => [key, tf.tensor(data, shape)]));
  return async () => {
    const result = tf.tidy(() => {
      let x = tf.tensor4d(image, shape);
      for (const node of model.layers) {
        const options = {
          x,
          strides: node.attributes.stride ?? 1,
          pad: "same",
          activation: node.name === "conv_preds" ? "linear" : "relu6",
          bias: weights.get(`${node.name}/bias`),
        };
        if (node.type === "conv2d" || node.type === "pointwiseConv2d")
          x = tf.fused.conv2d({ ...options, filter: weights.get(`${node.name}/kernel`) });
        else if (node.type === "depthwiseConv2d")
          x = tf.fused.depthwiseConv2d({ ...options, filter: weights.get(`${node.name}/depthwise_kernel`) });
        else if (node.type === "globalAveragePool") x = tf.mean(x, [1, 2], true);
        else if (node.name === "reshape_2") x = tf.reshape(x, [1, -1]);
      }
      return x;
    });
    const data = await result.data();
    result.dispose();
    return data;
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
