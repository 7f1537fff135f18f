/** Loss and share of right answers over the epochs, as one SVG. */

import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";

const [WIDTH, HEIGHT] = [640, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 56, 34, 40];

/** @param {string} name @param {readonly { epoch: number, loss: number, accuracy: number }[]} history */
export function curve(name, history) {
  const x = scaleLinear([1, history.length], [LEFT, WIDTH - RIGHT]);
  const loss = scaleLinear([0, Math.max(...history.map((row) => row.loss))], [HEIGHT - BOTTOM, TOP]).nice(5);
  const share = scaleLinear([Math.min(...history.map((row) => row.accuracy)), 1], [HEIGHT - BOTTOM, TOP]).nice(5);
  const path = (of) => line((row) => x(row.epoch), of).digits(1)([...history]);
  const ticks = loss.ticks(5).map((value) => text(LEFT - 8, loss(value) + 4, "end", "loss", value.toFixed(1)));
  const shares = share
    .ticks(5)
    .map((value) =>
      text(WIDTH - RIGHT + 8, share(value) + 4, "start", "share", `${Number((100 * value).toFixed(1))} %`),
    );
  const grid = loss.ticks(5).map((value) => `<path class="grid" d="M${LEFT} ${at(loss(value))}H${WIDTH - RIGHT}"/>`);
  const epochs = x
    .ticks(Math.min(10, history.length))
    .filter(Number.isInteger)
    .map((value) => text(x(value), HEIGHT - BOTTOM + 18, "middle", "", value));
  const last = history.at(-1);
  const title = `${name}: loss ${last.loss.toFixed(3)} and ${(100 * last.accuracy).toFixed(1)} % right in the last of ${history.length} epochs of training`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${title}">
<title>${title}</title>
<style>
  svg { --back: #ffffff; --ink: #333333; --line: #e2e2e2; --loss: #b4500f; --share: #1a66c2; }
  @media (prefers-color-scheme: dark) { svg { --back: #15181c; --ink: #d6d6d6; --line: #353a41; --loss: #f0a35e; --share: #79b4f5; } }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .loss { fill: var(--loss); } .share { fill: var(--share); }
  path { fill: none; stroke-width: 2; } .grid { stroke: var(--line); stroke-width: 1; }
</style>
<rect width="100%" height="100%" fill="var(--back)"/>
${[...grid, ...ticks, ...shares, ...epochs].join("\n")}
${text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "middle", "", "epoch")}
${text(LEFT - 8, 18, "start", "loss", "loss, of smoothed labels")}
${text(WIDTH - RIGHT + 8, 18, "end", "share", "right, of the training pictures")}
<path stroke="var(--loss)" d="${path((row) => loss(row.loss))}"/>
<path stroke="var(--share)" d="${path((row) => share(row.accuracy))}"/>
</svg>
`;
}

function text(x, y, anchor, kind, words) {
  const type = kind === "" ? "" : ` class="${kind}"`;
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}"${type}>${words}</text>`;
}

/** A place in the drawing, of as many digits as can be seen. */
function at(place) {
  return Math.round(place * 10) / 10;
}
