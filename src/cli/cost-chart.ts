/** What each layer costs as bars in a terminal, as wide as there is room. */

import { visible } from "../core/visible.ts";
import type { Cost, CostLayer } from "../cost/index.ts";
import { type LayerKind, layerKind } from "../draw/kinds.ts";
import type { Mark } from "./print.ts";
import { cut, fits } from "./table.ts";

/** Of a pipe, which has any room. */
const USUAL = 80;
/** Parts of a column. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const SHARE = 7;

/** What stands beside a bar, and its colour. */
const KINDS: Readonly<Record<LayerKind, { readonly mark: string; readonly style: Mark[1]; readonly words: string }>> = {
  standard: { mark: "std", style: "yellow", words: "standard convolution" },
  depthwise: { mark: "dw", style: "green", words: "depthwise" },
  pointwise: { mark: "pw", style: "blue", words: "pointwise" },
  dense: { mark: "fc", style: "magenta", words: "fully connected" },
  other: { mark: "-", style: "bold", words: "others" },
};

const MARK = 3;

/** Colours of the bars, by what stands in front of them. */
export const CHART_MARKS: readonly Mark[] = Object.values(KINDS).map(
  ({ mark, style }) => [new RegExp(`(?<= ${mark} +)[█-▏]+`), style] as const,
);

/**
 * A line a layer: its name, its kind, a bar of its share, the share; of a convention that counts no operations the share
 * of parameters. Layers that cost nothing are left out.
 */
export function costChart(result: Cost, width: number): readonly string[] {
  const hasOperations = result.totals.multAdds !== null;
  const shareOf = (layer: CostLayer) => (hasOperations ? (layer.multAddsShare ?? 0) : layer.parametersShare);
  const layers = result.layers.filter((layer) => shareOf(layer) > 0);
  const word = hasOperations ? visible(result.word ?? "operations") : "parameters";
  if (layers.length === 0) return [`No layer has any ${word}.`];
  const room = width === Number.POSITIVE_INFINITY ? USUAL : width;
  const names = layers.map(({ name }) => visible(name));
  // A third of the line at most, so that there is room for bars.
  const longest = names.reduce((most, name) => Math.max(most, name.length), 0);
  const nameRoom = Math.min(longest, Math.max(8, Math.floor(room / 3)));
  const barRoom = Math.max(4, room - nameRoom - 2 - MARK - 2 - 1 - SHARE);
  const most = layers.reduce((largest, layer) => Math.max(largest, shareOf(layer)), 0);
  const lines = layers.map((layer, index) => {
    const name = padded(cut(names[index] ?? "", nameRoom, 1 / 3), nameRoom);
    const mark = KINDS[layerKind(layer)].mark.padEnd(MARK);
    const share = `${(100 * shareOf(layer)).toFixed(2)}%`.padStart(SHARE);
    return `${name}  ${mark}  ${bar(shareOf(layer) / most, barRoom)} ${share}`;
  });
  const shown = new Set(layers.map(layerKind));
  const legend = Object.entries(KINDS).flatMap(([kind, { mark, words }]) =>
    shown.has(kind as LayerKind) ? [`${mark} ${words}`] : [],
  );
  return [`share of ${word}, layer by layer (${legend.join(", ")})`, "", ...lines];
}

/** As long as its room, blanks behind the bar; what is not nothing has an eighth of a column. */
function bar(share: number, room: number): string {
  const eighths = Math.max(1, Math.round(share * room * 8));
  return `${"█".repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8] ?? ""}`.padEnd(room);
}

/** Names may be of letters twice as wide as others. */
function padded(text: string, width: number): string {
  let result = text;
  while (fits(`${result} `, width)) result += " ";
  return result;
}
