/** One layer and the whole network: standard convolution beside depthwise + pointwise, counted and timed. */
import { compile, mobileNetV1, tensor } from "depthwise";
import { cost } from "depthwise/cost";
import { conv2d, depthwise, pointwise, sequential } from "depthwise/layers";

/** Median of five runs, in milliseconds, after one to warm up. */
async function time(model) {
  const session = await compile(model);
  const input = tensor(new Float32Array(model.inputShape.reduce((a, b) => a * b)).fill(0.5), [1, ...model.inputShape]);
  await session.run(input);
  const times = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await session.run(input);
    times.push(performance.now() - started);
  }
  session.close();
  return times.sort((a, b) => a - b)[2];
}

async function report(title, standard, separable) {
  const rows = [
    ["standard", standard],
    ["separable", separable],
  ];
  console.log(title);
  console.log("             mult-adds  parameters  measured ms");
  const figures = [];
  for (const [name, model] of rows) {
    const { multAdds, parameters } = cost(model).totals;
    const ms = await time(model);
    figures.push([multAdds, parameters, ms]);
    const cells = [
      multAdds.toLocaleString("en-US").padStart(13),
      parameters.toLocaleString("en-US").padStart(11),
      ms.toFixed(1).padStart(12),
    ];
    console.log(`  ${name.padEnd(9)}${cells.join(" ")}`);
  }
  const [a, b] = figures;
  console.log(`  one part in ${b.map((value, i) => (a[i] / value).toFixed(2)).join(", ")}\n`);
}

const inputShape = [14, 14, 512];
await report(
  "One layer: 512 to 512 channels at 14 × 14 (table 3)",
  sequential({ inputShape }, [conv2d({ filters: 512, kernel: 3, bias: false })]),
  sequential({ inputShape }, [depthwise({ kernel: 3, bias: false }), pointwise({ filters: 512, bias: false })]),
);
const size = { alpha: 0.5, resolution: 160 };
await report(
  "The whole network: 0.5 MobileNet-160",
  mobileNetV1({ ...size, standardConvolution: true }),
  mobileNetV1(size),
);
