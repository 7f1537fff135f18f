/** How training goes, as SVG: loss over the epochs, and after each the share of the pictures held back that are named. */

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 592, 12, 196];
const ROWS = 4;

/** @param shown `steps`: points { epoch, loss }; `epochs`: points { epoch, accuracy }; `last`: the number of epochs */
export function drawCurve(svg, { steps, epochs, last = 1 }) {
  const top = Math.ceil(Math.max(1, ...steps.map(({ loss }) => loss)) / 0.4) * 0.4;
  const x = (epoch) => LEFT + ((RIGHT - LEFT) * epoch) / last;
  const y = (share) => BOTTOM - (BOTTOM - TOP) * share;
  const loss = steps.map((step) => `${x(step.epoch)},${y(step.loss / top)}`);
  const accuracy = epochs.map((one) => [x(one.epoch), y(one.accuracy)]);
  const rows = Array.from({ length: ROWS + 1 }, (_, row) => row / ROWS);
  svg.replaceChildren(
    ...rows.flatMap((share) => [
      node("line", { class: "grid", x1: LEFT, x2: RIGHT, y1: y(share), y2: y(share) }),
      node("text", { class: "loss", x: LEFT - 8, y: y(share) + 4, "text-anchor": "end" }, (top * share).toFixed(1)),
      node("text", { class: "accuracy", x: RIGHT + 8, y: y(share) + 4 }, `${100 * share} %`),
    ]),
    ...Array.from({ length: last + 1 }, (_, epoch) =>
      node("text", { x: x(epoch), y: BOTTOM + 18, "text-anchor": "middle" }, epoch),
    ),
    node("text", { x: (LEFT + RIGHT) / 2, y: BOTTOM + 36, "text-anchor": "middle" }, "epochs"),
    node("text", { class: "loss", x: LEFT, y: BOTTOM + 36 }, "loss"),
    node("text", { class: "accuracy", x: RIGHT, y: BOTTOM + 36, "text-anchor": "end" }, "named, of those held back"),
    node("polyline", { class: "loss", points: loss.join(" ") }),
    node("polyline", { class: "accuracy", points: accuracy.map((point) => point.join()).join(" ") }),
    ...accuracy.map(([cx, cy]) => node("circle", { class: "accuracy", cx, cy, r: 4 })),
  );
}

function node(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
