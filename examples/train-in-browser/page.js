/** The page: shows how training goes, and sends drawings to the worker. */
import { drawCurve } from "./curve.js";
import { CLASSES, SIDE } from "./shapes.js";

const element = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const buttons = ["train", "stop", "forget"];
let steps = [];
let epochs = [];
/** The newest report: losses are means of the epoch so far. */
let before;
let canClassify = false;
let strokes = [];

function enable(...names) {
  for (const name of buttons) element(name).disabled = !names.includes(name);
}

function show(state) {
  element("state").textContent = state;
}

/** What the worker says. */
const heard = {
  ready({ samples, examples, isBegun }) {
    drawSamples(samples);
    drawCurve(element("curve"), { steps, epochs });
    const made = `${examples.toLocaleString("en-US")} pictures of ${CLASSES.length} classes are made; a fifth is held back.`;
    show(isBegun ? `${made} Train goes on where it was stopped.` : made);
    enable("train", "forget");
  },
  started({ backend, simd, threads, reasons }) {
    element("how").textContent = [`${backend} backend, SIMD: ${simd}, threads: ${threads}`, ...reasons].join("; ");
  },
  resumed({ epoch }) {
    show(`Goes on in epoch ${epoch}.`);
  },
  progress({ epoch, epochs: last, step, steps: all, loss, imagesPerSecond, remainingSeconds }) {
    const since = before?.epoch === epoch ? before : { step: 0, loss: 0 };
    steps.push({ epoch: epoch - 1 + step / all, loss: (loss * step - since.loss * since.step) / (step - since.step) });
    before = { epoch, step, loss };
    drawCurve(element("curve"), { steps, epochs, last });
    const left = Math.ceil(remainingSeconds);
    show(
      `Epoch ${epoch} of ${last}: loss ${loss.toFixed(3)}, ${imagesPerSecond.toFixed(0)} pictures a second, ${left} s left.`,
    );
  },
  epoch({ epoch, epochs: last, validation }) {
    epochs.push({ epoch, accuracy: validation.accuracy });
    drawCurve(element("curve"), { steps, epochs, last });
    show(`Epoch ${epoch} of ${last}: ${percent(validation.accuracy)} of the pictures held back.`);
  },
  trained({ history }) {
    epochs = history.map(({ epoch, validation }) => ({ epoch, accuracy: validation.accuracy }));
    drawCurve(element("curve"), { steps, epochs, last: history.length });
    const { accuracy, examples } = history.at(-1).validation;
    show(`Trained: it names ${percent(accuracy)} of ${examples} pictures that it has never seen. Now draw.`);
    canClassify = true;
    enable("forget");
    ask();
  },
  paused() {
    show("Stopped. Train goes on from here, also after the page was closed.");
    enable("train", "forget");
  },
  classified({ probabilities }) {
    showLabels(probabilities);
  },
  failed({ message }) {
    element("error").textContent = message;
    enable("train", "forget");
  },
};

worker.addEventListener("message", ({ data }) => heard[data.type]?.(data));
worker.addEventListener("error", ({ message }) =>
  heard.failed({ message: message || "The worker could not be loaded." }),
);

element("train").addEventListener("click", () => {
  element("error").textContent = "";
  enable("stop");
  show("Begins …");
  worker.postMessage({ type: "train" });
});
element("stop").addEventListener("click", () => {
  enable();
  worker.postMessage({ type: "stop" });
});
element("forget").addEventListener("click", () => {
  worker.postMessage({ type: "forget" });
  [steps, epochs, before, canClassify] = [[], [], undefined, false];
  drawCurve(element("curve"), { steps, epochs });
  showLabels();
  show("Forgotten.");
  enable("train", "forget");
});

/** Sixteen pictures beside each other, in two rows. */
function drawSamples(samples) {
  const columns = 8;
  const canvas = element("samples");
  [canvas.width, canvas.height] = [columns * SIDE, 2 * SIDE];
  const context = canvas.getContext("2d");
  for (let i = 0; i < 2 * columns; i++) {
    const image = context.createImageData(SIDE, SIDE);
    for (let p = 0; p < SIDE * SIDE; p++) {
      image.data.fill(samples[i * SIDE * SIDE + p], 4 * p, 4 * p + 3);
      image.data[4 * p + 3] = 255;
    }
    context.putImageData(image, (i % columns) * SIDE, Math.floor(i / columns) * SIDE);
  }
}

function showLabels(probabilities = []) {
  const rows = CLASSES.map((name, i) => ({ name, share: probabilities[i] }));
  const items = rows.map(({ name, share }) => {
    const item = Object.assign(document.createElement("li"), { textContent: name });
    const bar = document.createElement("meter");
    [bar.value, bar.ariaLabel] = [share ?? 0, name];
    const number = Object.assign(document.createElement("span"), {
      textContent: share === undefined ? "" : percent(share),
    });
    item.classList.toggle("best", share !== undefined && share === Math.max(...probabilities));
    item.append(bar, number);
    return item;
  });
  element("labels").replaceChildren(...items);
}
showLabels();

/** The paper. A stroke is the way of a pen from where it comes down to where it is lifted. */
const paper = element("paper");
const pen = paper.getContext("2d");
Object.assign(pen, { lineWidth: 12, lineCap: "round", lineJoin: "round", strokeStyle: "white" });

function clear() {
  strokes = [];
  pen.clearRect(0, 0, paper.width, paper.height);
  showLabels();
}

function ask() {
  if (canClassify && strokes.length > 0) worker.postMessage({ type: "classify", strokes });
}

paper.addEventListener("pointerdown", (event) => {
  paper.setPointerCapture(event.pointerId);
  strokes.push([]);
  draw(event);
});
paper.addEventListener("pointermove", (event) => {
  if (paper.hasPointerCapture(event.pointerId)) draw(event);
});
paper.addEventListener("pointerup", () => {
  if (!canClassify) show("It cannot tell yet: train it first.");
  ask();
});
element("clear").addEventListener("click", clear);

function draw({ offsetX, offsetY }) {
  const point = [(offsetX * paper.width) / paper.clientWidth, (offsetY * paper.height) / paper.clientHeight];
  const stroke = strokes.at(-1);
  stroke.push(point);
  pen.beginPath();
  pen.moveTo(...(stroke.at(-2) ?? point));
  pen.lineTo(...point);
  pen.stroke();
}
