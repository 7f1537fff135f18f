/** Programs of users that only a compiler reads: what a place's own types give goes in, and what comes out fits them. */

/** For any place. */
export const ANYWHERE = `import { compile, createClassifier, loadModel, mobileNetV1, tensor, type Session } from "depthwise";
import { cost } from "depthwise/cost";
import { dense, sequential } from "depthwise/layers";
import { decodeImage } from "depthwise/images";
import { cifar10 } from "depthwise/models/cifar10";
import { digits } from "depthwise/models/digits";
import { readSafetensors, saveTfjs } from "depthwise/weights";

export async function use(): Promise<unknown> {
  const { embedding } = await (await compile(await cifar10({ includeTop: false, pooling: "avg" }))).run(tensor([1], [1]));
  const [digit] = await (await createClassifier(await digits())).classify("three.png");
  const model = mobileNetV1({ alpha: 0.25 });
  let session: Session = await compile(model);
  session = await compile(model, { taps: ["conv_pw_6"] });
  const { logits, taps } = await (await compile(model, { taps: ["conv_pw_6"] })).run(tensor([1], [1]));
  const classifier = await createClassifier(await loadModel("a.tflite"));
  const [best] = await classifier.classify("cat.jpg");
  const label: string | undefined = best?.label;
  return [embedding.shape, digit?.label, session, logits.data.length, taps.conv_pw_6.shape, label, cost(model).totals, dense, sequential, decodeImage, readSafetensors, saveTfjs];
}
`;

/** With @types/node. */
export const WITH_NODE = `import { Blob as NodeBlob, File as NodeFile } from "node:buffer";
import { createReadStream, openAsBlob, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { compile, createClassifier, loadModel, saveModel, type Tensor } from "depthwise";
import { decodeImage } from "depthwise/images";
import { kernelModules } from "depthwise/kernels";
import { encodeModel, encodeTfjs, readSafetensors } from "depthwise/weights";

export async function use(): Promise<unknown> {
  const signal = AbortSignal.timeout(1000);
  const model = await loadModel(await readFile("a"), { signal });
  for (const source of [pathToFileURL("a"), new URL("file:///a"), readFileSync("a").buffer, new Blob(["a"])])
    await loadModel(source);
  await loadModel(new NodeBlob(["a"]));
  await loadModel([new NodeFile(["a"], "a"), new NodeFile(["a"], "b")]);
  await loadModel(await openAsBlob("a"));
  await loadModel(createReadStream("a"), { onProgress: ({ received }) => process.stderr.write(\`\${received}\`) });
  await loadModel(Readable.toWeb(createReadStream("a")));
  const session = await compile(model, { threads: 2 });
  const { logits } = await session.run(Buffer.alloc(4), { signal });
  const answer: Tensor = logits;
  const classifier = await createClassifier(model);
  await classifier.classify(await readFile("cat.jpg"), { signal });
  await classifier.classify(await fetch("http://127.0.0.1/cat.jpg"));
  for await (const { image } of classifier.classifyAll(["a", Buffer.alloc(4), await openAsBlob("a")], { signal }))
    console.log(image);
  await saveModel(model, "b.safetensors", { signal });
  await writeFile("b.safetensors", encodeModel(model));
  for (const [name, bytes] of [...Object.entries(kernelModules(model)), ...encodeTfjs(model)]) await writeFile(name, bytes);
  const pixels = await decodeImage(await openAsBlob("a"));
  return [answer, pixels.data, readSafetensors(await readFile("a"))];
}
`;

/** With the DOM library. */
export const WITH_DOM = `import { compile, createClassifier, loadModel, mobileNetV1 } from "depthwise";
import { decodeImage } from "depthwise/images";
import { kernelModules } from "depthwise/kernels";
import { encodeModel, encodeTfjs } from "depthwise/weights";

export async function use(input: HTMLInputElement, video: HTMLVideoElement, canvas: HTMLCanvasElement): Promise<unknown> {
  const { signal } = new AbortController();
  const [first] = input.files ?? [];
  if (first !== undefined) await loadModel(first, { signal });
  const model = await loadModel(input.files ?? [], { signal });
  const response = await fetch("model.tflite");
  if (response.body !== null) await loadModel(response.body);
  await loadModel(await response.blob());
  await loadModel(await response.arrayBuffer());
  const session = await compile(model, {
    threads: 2,
    worker: () => new Worker(new URL("worker.js", document.baseURI), { type: "module" }),
  });
  await session.run(new Float32Array(4), { signal });
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  const classifier = await createClassifier(model);
  const images = [video, canvas, new Image(), new OffscreenCanvas(1, 1), await createImageBitmap(video), response, new File([], "a")];
  for (const image of images) await classifier.classify(image, { signal });
  if (context !== null) await classifier.classify(context.getImageData(0, 0, 1, 1));
  for await (const { predictions } of classifier.classifyAll(input.files ?? [])) console.log(predictions[0]?.label);
  const blobs = [encodeModel(mobileNetV1()), ...encodeTfjs(model).values(), ...Object.values(kernelModules(model))].map((bytes) => new Blob([bytes]));
  const download = URL.createObjectURL(new Blob([encodeModel(mobileNetV1())]));
  return [blobs, await decodeImage(video), download];
}
`;
