/** The loss over the epochs, as SVG: a line of what is trained on, a dot an epoch of what is held back. */

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 630, 12, 196];

/** @param shown `steps` and `epochs`: points { epoch, loss }; `last`: the number of epochs */
export function drawCurve(svg, { steps, epochs, last = 6 }) {
  const most = Math.max(1.5, ...steps.map(({ loss }) => loss), ...epochs.map(({ loss }) => loss));
  const top = Math.ceil(most * 2) / 2;
  const x = (epoch) => LEFT + ((RIGHT - LEFT) * epoch) / last;
  const y = (loss) => BOTTOM - ((BOTTOM - TOP) * loss) / top;
  const rows = Array.from({ length: 4 }, (_, i) => (top * i) / 3);
  const columns = Array.from({ length: last + 1 }, (_, epoch) => epoch);
  svg.replaceChildren(
    ...rows.flatMap((loss) => [
      node("line", { class: "grid", x1: LEFT, x2: RIGHT, y1: y(loss), y2: y(loss) }),
      node("text", { x: LEFT - 8, y: y(loss) + 4, "text-anchor": "end" }, loss.toFixed(1)),
    ]),
    ...columns.map((epoch) => node("text", { x: x(epoch), y: BOTTOM + 18, "text-anchor": "middle" }, epoch)),
    node("text", { x: RIGHT, y: BOTTOM + 32, "text-anchor": "end" }, "epoch"),
    node("text", { x: LEFT + 8, y: TOP + 12 }, "loss"),
    node("polyline", { class: "trained", points: steps.map(({ epoch, loss }) => `${x(epoch)},${y(loss)}`).join(" ") }),
    ...epochs.map(({ epoch, loss }) => node("circle", { class: "held", cx: x(epoch), cy: y(loss), r: 4 })),
    node("line", { class: "trained", x1: RIGHT - 190, x2: RIGHT - 166, y1: TOP + 8, y2: TOP + 8 }),
    node("text", { x: RIGHT - 160, y: TOP + 12 }, "trained on"),
    node("circle", { class: "held", cx: RIGHT - 78, cy: TOP + 8, r: 4 }),
    node("text", { x: RIGHT - 68, y: TOP + 12 }, "held back"),
  );
}

function node(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
