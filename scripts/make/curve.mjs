/** The loss over the epochs, as one SVG. */

import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";

const [WIDTH, HEIGHT] = [640, 240];
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 16, 34, 40];

/** @param {string} name @param {readonly { epoch: number, loss: number }[]} history */
export function curve(name, history) {
  const x = scaleLinear([1, Math.max(2, history.length)], [LEFT, WIDTH - RIGHT]);
  const y = scaleLinear([0, Math.max(...history.map(({ loss }) => loss))], [HEIGHT - BOTTOM, TOP]).nice(5);
  const path = line(
    ({ epoch }) => x(epoch),
    ({ loss }) => y(loss),
  ).digits(1)([...history]);
  const rows = y
    .ticks(5)
    .flatMap((value) => [
      `<path class="grid" d="M${LEFT} ${at(y(value))}H${WIDTH - RIGHT}"/>`,
      text(LEFT - 8, y(value) + 4, "end", value.toFixed(1)),
    ]);
  const columns = x
    .ticks(Math.min(10, history.length))
    .filter(Number.isInteger)
    .map((value) => text(x(value), HEIGHT - BOTTOM + 18, "middle", value));
  const [first, last] = [history[0].loss.toFixed(2), history.at(-1).loss.toFixed(2)];
  const title = `${name}: the loss falls from ${first} to ${last} in ${history.length} epochs of training`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${title}">
<title>${title}</title>
<style>
  svg { --back: #ffffff; --ink: #333333; --line: #e2e2e2; --curve: #1a66c2; }
  @media (prefers-color-scheme: dark) { svg { --back: #15181c; --ink: #d6d6d6; --line: #353a41; --curve: #79b4f5; } }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  path { fill: none; stroke: var(--curve); stroke-width: 2; } .grid { stroke: var(--line); stroke-width: 1; }
</style>
<rect width="100%" height="100%" fill="var(--back)"/>
${[...rows, ...columns].join("\n")}
${text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "middle", "epoch")}
${text(8, 20, "start", "loss in training, of smoothed labels")}
<path d="${path}"/>
</svg>
`;
}

function text(x, y, anchor, words) {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${words}</text>`;
}

/** A place in the drawing, of as many digits as can be seen. */
function at(place) {
  return Math.round(place * 10) / 10;
}
