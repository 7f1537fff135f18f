/** Runs in the browser, bundled by its test: sources that other origins, realms, clocks and workers have a hand in. */

import { createClassifier, isDepthwiseError, mobileNetV1 } from "depthwise";
import { decodeImage } from "depthwise/images";

type Found = Readonly<Record<string, string>>;

declare global {
  interface Window {
    lookAtOrigins(elsewhere: string): Promise<Found>;
    lookAtRealms(): Promise<Found>;
    lookAtVideos(): Promise<Found>;
    lookAtCanvases(): Promise<Found>;
    classifyAllKinds(): Promise<Found>;
  }
}

/** Size and colour of the first pixel, or what went wrong. */
async function look(source: unknown): Promise<string> {
  try {
    const { width, height, data } = await decodeImage(source as Blob);
    const pixel = [...data.subarray(0, 3)];
    const colour = NAMES.find((name) => isColour(pixel, name));
    return `${width}x${height} ${colour ?? pixel.join()}`;
  } catch (error) {
    return isDepthwiseError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

const COLOURS = {
  green: [10, 200, 30],
  red: [220, 20, 40],
  white: [255, 255, 255],
} as const satisfies Record<string, readonly [number, number, number]>;
const NAMES = Object.keys(COLOURS) as (keyof typeof COLOURS)[];

/** What a video keeps of a colour is near it. */
function isColour(pixel: readonly number[], name: keyof typeof COLOURS): boolean {
  return COLOURS[name].every((value, channel) => Math.abs((pixel[channel] ?? 0) - value) < 40);
}

function paint<Canvas extends HTMLCanvasElement | OffscreenCanvas>(canvas: Canvas, colour: keyof typeof COLOURS) {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = `rgb(${COLOURS[colour].join()})`;
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

const canvasOf = (width: number, height: number, from = document) =>
  Object.assign(from.createElement("canvas"), { width, height });
const green = (from = document) => paint(canvasOf(64, 48, from), "green");
const blobOf = (canvas: HTMLCanvasElement) =>
  new Promise<Blob>((done) => canvas.toBlob((made) => done(made as Blob), "image/png"));
const heard = (target: EventTarget, event: string) =>
  new Promise((done, fail) => {
    target.addEventListener(event, done, { once: true });
    target.addEventListener("error", () => fail(new Error(`error instead of ${event}`)), { once: true });
  });

window.lookAtOrigins = async (elsewhere) => {
  const strange = Object.assign(new Image(), { src: `${elsewhere}/green.png?token=hunter2` });
  await strange.decode();
  const tainted = canvasOf(64, 48);
  tainted.getContext("2d")?.drawImage(strange, 0, 0);
  const asked = Object.assign(new Image(), { crossOrigin: "anonymous", src: `${elsewhere}/open.png` });
  const offscreen = new OffscreenCanvas(64, 48);
  offscreen.getContext("2d")?.drawImage(strange, 0, 0);
  const refused = Object.assign(new Image(), { crossOrigin: "anonymous", src: `${elsewhere}/green.png` });
  return {
    tainted: await look(tainted),
    offscreen: await look(offscreen),
    image: await look(strange),
    bitmap: await look(await createImageBitmap(strange)),
    asked: await look(asked),
    refused: await look(refused),
    opaque: await look(await fetch(`${elsewhere}/green.png`, { mode: "no-cors" })),
  };
};

window.lookAtRealms = async () => {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const realm = frame.contentWindow as Window & typeof globalThis;
  const canvas = green(realm.document);
  const pixels = green().getContext("2d")?.getImageData(0, 0, 64, 48).data;
  const blob = await blobOf(canvas);
  const image = realm.document.createElement("img");
  image.src = URL.createObjectURL(blob);
  const bytes = new realm.Uint8Array(await blob.arrayBuffer());
  return {
    canvas: await look(canvas),
    offscreen: await look(paint(new realm.OffscreenCanvas(64, 48), "green")),
    image: await look(image),
    data: await look(await new Promise((done) => done(canvas.getContext("2d")?.getImageData(0, 0, 64, 48)))),
    made: pixels === undefined ? "" : await look(new realm.ImageData(new realm.Uint8ClampedArray(pixels), 64)),
    blob: await look(new realm.Blob([bytes])),
    file: await look(new realm.File([bytes], "green.png")),
    response: await look(new realm.Response(bytes)),
    bytes: await look(bytes),
    bitmap: await look(await realm.createImageBitmap(canvas)),
  };
};

/** Frames of each colour that are recorded, however long each takes. */
const FRAMES = 30;

/** Half green, then red. */
async function recorded(): Promise<Blob> {
  const canvas = green();
  const stream = canvas.captureStream();
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm" });
  const parts: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const end = heard(recorder, "stop");
  // Who plays what is recorded sees when it has got there.
  const seen = Object.assign(document.createElement("video"), { muted: true, srcObject: stream });
  recorder.start();
  await seen.play();
  for (const colour of ["green", "red"] as const) {
    for (let frame = 0; frame < FRAMES || !shows(seen, colour); frame++) {
      paint(canvas, colour);
      await new Promise((done) => setTimeout(done, 33));
    }
  }
  recorder.stop();
  await end;
  return new Blob(parts, { type: "video/webm" });
}

/** Whether the browser draws this colour of something, without the library. */
function shows(source: HTMLVideoElement | HTMLCanvasElement, colour: keyof typeof COLOURS): boolean {
  const context = canvasOf(1, 1).getContext("2d") as CanvasRenderingContext2D;
  context.drawImage(source, 0, 0, 1, 1);
  return isColour([...context.getImageData(0, 0, 1, 1).data], colour);
}

window.lookAtVideos = async () => {
  const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto" });
  const empty = await look(video);
  video.src = URL.createObjectURL(await recorded());
  const before = await look(video);
  await heard(video, "loadeddata");
  // A second of green takes sixteen, in which a busy machine comes to look at it too.
  video.playbackRate = 1 / 16;
  await video.play();
  await heard(video, "timeupdate");
  const isPlaying = !video.paused && !video.ended;
  const playing = look(video);
  video.playbackRate = 1;
  await heard(video, "ended");
  const ended = await look(video);
  const found: Record<string, string> = { empty, before, playing: `${isPlaying} ${await playing}`, ended };
  if (typeof VideoFrame !== "undefined") {
    const frame = new VideoFrame(video, { timestamp: 0 });
    found["frame"] = await look(frame);
    const taken = look(frame);
    frame.close();
    found["taken"] = await taken;
    found["closed"] = await look(frame);
  }
  return found;
};

window.lookAtCanvases = async () => {
  const closed = await createImageBitmap(green());
  closed.close();
  const sent = new OffscreenCanvas(64, 48);
  structuredClone(sent, { transfer: [sent] });
  const handed = canvasOf(64, 48);
  const control = handed.transferControlToOffscreen();
  paint(control, "green");
  // A canvas whose control was handed over has the pixels that it shows, once it shows them.
  while (!shows(handed, "green")) await new Promise((done) => requestAnimationFrame(done));
  const shown = new OffscreenCanvas(64, 48);
  shown.getContext("bitmaprenderer")?.transferFromImageBitmap(await createImageBitmap(green()));
  const found: Record<string, string> = {
    closed: await look(closed),
    sent: await look(sent),
    control: await look(control),
    handed: await look(handed),
    shown: await look(shown),
    none: await look(canvasOf(0, 0)),
    flat: await look(new OffscreenCanvas(5, 0)),
    drawing: await look(green()),
  };
  const drawn = new OffscreenCanvas(64, 48);
  const gl = drawn.getContext("webgl");
  if (gl !== null) {
    gl.clearColor(10 / 255, 200 / 255, 30 / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    found["webgl"] = await look(drawn);
  }
  return found;
};

window.classifyAllKinds = async () => {
  const labels = ["a", "b", "c", "d"];
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 4, labels });
  const classifier = await createClassifier(model, { maxPixelsInFlight: 1 });
  const canvas = green();
  const blob = await blobOf(canvas);
  const image = Object.assign(new Image(), { src: URL.createObjectURL(blob) });
  await image.decode();
  const offscreen = paint(new OffscreenCanvas(64, 48), "green");
  const chosen = new DataTransfer();
  for (const name of ["one.png", "two.png"]) chosen.items.add(new File([blob], name));
  const input = Object.assign(document.createElement("input"), { type: "file", multiple: true });
  input.files = chosen.files;
  const kinds = {
    canvas,
    image,
    offscreen,
    bitmap: await createImageBitmap(canvas),
    data: canvas.getContext("2d")?.getImageData(0, 0, 64, 48) as ImageData,
    blob,
    file: new File([blob], "green.png"),
    loading: Object.assign(new Image(), { src: URL.createObjectURL(blob) }),
    ...(typeof VideoFrame === "undefined" ? {} : { frame: new VideoFrame(canvas, { timestamp: 0 }) }),
  };
  const first = JSON.stringify(await classifier.classify(canvas));
  const embedding = String((await classifier.embed(canvas)).data);
  const found: Record<string, string> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const embedded = String((await classifier.embed(kind)).data) === embedding;
    found[name] = `${JSON.stringify(await classifier.classify(kind)) === first} ${embedded}`;
  }
  const answers = Object.values(kinds).map(() => first);
  const all: string[] = [];
  // A file waits for room where it is alone: what the page shows takes none.
  for await (const { predictions } of classifier.classifyAll(Object.values(kinds)))
    all.push(JSON.stringify(predictions));
  const listed = (await classifier.classify(Object.values(kinds))).map((each) => JSON.stringify(each));
  const files = (await classifier.classify(input.files)).map((each) => JSON.stringify(each));
  classifier.close();
  return {
    ...found,
    all: String(String(all) === String(answers)),
    list: String(String(listed) === String(answers)),
    fileList: String(String(files) === String([first, first])),
  };
};
