/** The paper's figures 4 and 5 as SVG: accuracy against mult-adds, and against parameters. Scales and paths by d3. */

import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";
import { percent } from "../shared/percent.mjs";
import { placeLabels } from "./place-labels.mjs";

const [WIDTH, HEIGHT] = [720, 440];
const FRAME = { left: 60, right: WIDTH - 20, top: 64, bottom: HEIGHT - 52 };

const AXES = {
  multAdds: { name: "mult-adds", figure: 4, title: "Million mult-adds, logarithmic" },
  parameters: { name: "parameters", figure: 5, title: "Million parameters, logarithmic" },
};

const STYLE = `
    .page { fill: #ffffff }
    text { font: 12px system-ui, sans-serif; fill: #1f2328; font-variant-numeric: tabular-nums }
    .title { font-size: 15px; font-weight: 600 }
    .soft { fill: #59636e }
    .label { stroke: #ffffff; stroke-width: 3; stroke-linejoin: round; paint-order: stroke }
    .grid { stroke: #d1d9e0 }
    .lead { stroke: #59636e }
    .curve { fill: none; stroke: #0969da; stroke-width: 1.5 }
    .rho { stroke-dasharray: 5 4 }
    .fast { fill: #0969da }
    .paper { fill: #bc4c00 }
    .seed { opacity: 0.45 }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 } .label { stroke: #0d1117 } text { fill: #e6edf3 } .soft { fill: #9198a1 } .grid { stroke: #3d444d } .lead { stroke: #9198a1 }
      .curve { stroke: #4493f8 } .fast { fill: #4493f8 } .paper { fill: #db6d28 }
    }
  `;

/** @param {ReturnType<import("./summary.mjs").summaryOf>} summary @param {keyof typeof AXES} key */
export function accuracyChart({ cells }, key) {
  const { name, figure, title } = AXES[key];
  const shown = cells.filter(({ accuracy }) => accuracy !== null);
  const head = `Accuracy on CIFAR-10 against ${name}`;
  const told = shown.map((cell) => `${labelOf(cell)}: ${millions(cell[key])} million, ${percent(cell.accuracy)}`);
  const text = told.length === 0 ? "Nothing is measured yet." : `${told.join("; ")}.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title text">
  <title id="title">${head}, as figure ${figure} of the paper has it for ImageNet</title>
  <desc id="text">${text}</desc>
  <style>${STYLE}</style>
  <rect class="page" width="${WIDTH}" height="${HEIGHT}"/>
  <text class="title" x="${FRAME.left}" y="26">${head}</text>
${(shown.length === 0 ? [textAt("soft", FRAME.left, 48, "Nothing is measured yet.")] : drawn(shown, key, title)).join("\n")}
</svg>
`;
}

function drawn(cells, key, title) {
  const { x, y } = scalesOf(cells, key);
  const points = cells.map((cell) => ({ cell, x: x(cell[key]), y: y(100 * cell.accuracy), text: labelOf(cell) }));
  const seeds = cells.flatMap((cell) => cell.runs.map((run) => ({ cell, x: x(cell[key]), y: y(100 * run.accuracy) })));
  const path = line(
    (point) => point.x,
    (point) => point.y,
  ).digits(1);
  const [alphas, rhos] = [
    points.filter(({ cell }) => isOfWidth(cell)),
    points.filter(({ cell }) => isOfResolution(cell)),
  ];
  const [widths, resolutions] = [inOrder(alphas), inOrder(rhos)];
  const busy = [...seeds, ...along(widths), ...along(resolutions)];
  const taken = busy.map((spot) => ({ left: spot.x - 3, right: spot.x + 3, top: spot.y - 3, bottom: spot.y + 3 }));
  const places = placeLabels(points, taken, FRAME);
  return [
    ...legend(cells),
    ...axes(x, y, title),
    `  <path class="curve" d="${path(widths) ?? ""}"/>`,
    `  <path class="curve rho" d="${path(resolutions) ?? ""}"/>`,
    ...seeds.map((seed) => `  <circle class="seed ${seed.cell.arm}" cx="${at(seed.x)}" cy="${at(seed.y)}" r="2.5"/>`),
    ...places.flatMap((place, index) => (place.isFar ? [lead(points[index], place)] : [])),
    ...points.map(
      ({ cell, ...point }) =>
        `  <circle class="${cell.arm}" cx="${at(point.x)}" cy="${at(point.y)}" r="5"><title>${labelOf(cell)}: ${millions(cell[key])} million, ${percent(cell.accuracy)}</title></circle>`,
    ),
    ...places.map((place, index) => textAt("label", place.x, place.y, points[index].text, place.anchor)),
  ];
}

function scalesOf(cells, key) {
  const costs = cells.map((cell) => cell[key]);
  const accuracies = cells.flatMap(({ runs }) => runs.map(({ accuracy }) => 100 * accuracy));
  const room = 1.35;
  const x = scaleLog([Math.min(...costs) / room, Math.max(...costs) * room], [FRAME.left, FRAME.right]);
  const [low, high] = [Math.min(...accuracies), Math.max(...accuracies)];
  const margin = Math.max(0.5, 0.08 * (high - low));
  return { x, y: scaleLinear([low - margin, Math.min(100, high + margin)], [FRAME.bottom, FRAME.top]).nice(6) };
}

function axes(x, y, title) {
  const across = y
    .ticks(6)
    .flatMap((value) => [
      `  <line class="grid" x1="${FRAME.left}" x2="${FRAME.right}" y1="${at(y(value))}" y2="${at(y(value))}"/>`,
      textAt("soft", FRAME.left - 8, y(value) + 4, `${value} %`, "end"),
    ]);
  const [from, to] = x.domain();
  const decades = [4, 5, 6, 7, 8].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
  const ticks = decades
    .filter((value) => value >= from && value <= to)
    .flatMap((value) => [
      `  <line class="grid" x1="${at(x(value))}" x2="${at(x(value))}" y1="${FRAME.top}" y2="${FRAME.bottom}"/>`,
      textAt("soft", x(value), FRAME.bottom + 18, `${value / 1e6}`, "middle"),
    ]);
  return [...across, ...ticks, textAt("soft", (FRAME.left + FRAME.right) / 2, HEIGHT - 12, title, "middle")];
}

/** What the colours and lines are. */
function legend(cells) {
  const hasPaper = cells.some(({ arm }) => arm === "paper");
  const parts = [
    `  <circle class="fast" cx="${FRAME.left + 5}" cy="44" r="5"/>`,
    textAt("soft", FRAME.left + 16, 48, "recipe fast"),
    `  <path class="curve" d="M${FRAME.left + 100},44h24"/>`,
    textAt("soft", FRAME.left + 130, 48, "α at 32 pixels"),
    `  <path class="curve rho" d="M${FRAME.left + 232},44h24"/>`,
    textAt("soft", FRAME.left + 262, 48, "α 0.5 at 32, 24, 16"),
  ];
  if (!hasPaper) return parts;
  return [
    ...parts,
    `  <circle class="paper" cx="${FRAME.left + 400}" cy="44" r="5"/>`,
    textAt("soft", FRAME.left + 411, 48, "recipe paper"),
  ];
}

/** From a label that is far from its point. */
function lead(point, place) {
  return `  <line class="lead" x1="${at(point.x)}" y1="${at(point.y)}" x2="${at(place.x)}" y2="${at(place.y - 4)}"/>`;
}

function isOfWidth({ arm, options: { resolution, shallow, standardConvolution } }) {
  return arm === "fast" && resolution === 32 && !shallow && !standardConvolution;
}

function isOfResolution({ arm, options: { alpha, shallow, standardConvolution } }) {
  return arm === "fast" && alpha === 0.5 && !shallow && !standardConvolution;
}

/** Spots on the line through points, every few pixels. */
function along(points) {
  return points.slice(1).flatMap(({ x, y }, index) => {
    const from = points[index];
    const steps = Math.ceil(Math.hypot(x - from.x, y - from.y) / 6);
    return Array.from({ length: steps }, (_, step) => ({
      x: from.x + ((x - from.x) * step) / steps,
      y: from.y + ((y - from.y) * step) / steps,
    }));
  });
}

function inOrder(points) {
  return [...points].sort((a, b) => a.x - b.x || a.y - b.y);
}

function labelOf({ name }) {
  return name.replace(/-(standard|shallow|paper)$/, " $1");
}

function textAt(kind, x, y, text, anchor = "start") {
  return `  <text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${text}</text>`;
}

function millions(count) {
  return (count / 1e6).toFixed(2);
}

/** A place in the drawing, of as many digits as can be seen. */
function at(place) {
  return Math.round(place * 10) / 10;
}
