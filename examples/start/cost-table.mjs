/** What networks cost beside their twins, as a table of text. */

const FIGURES = ["multAdds", "parameters", "ms"];

/**
 * A network, its twin, and how many times as much the twin costs.
 *
 * @param comparisons by name: `network` and `twin`, each `{ multAdds, parameters, ms }`
 */
export function costTable(comparisons) {
  const lines = [row("network", ["mult-adds", "parameters", "ms a picture"])];
  for (const [name, { network, twin }] of Object.entries(comparisons)) {
    lines.push(row(name, cells(name, network)));
    lines.push(row("  with standard convolutions", cells(`${name}'s twin`, twin)));
    lines.push(
      row(
        "  one part in",
        FIGURES.map((figure) => (twin[figure] / network[figure]).toFixed(2)),
      ),
    );
  }
  return lines;
}

const row = (name, [multAdds, parameters, ms]) =>
  `${name.padEnd(30)}${multAdds.padStart(13)}${parameters.padStart(14)}${ms.padStart(16)}`;

function cells(name, figures) {
  for (const figure of FIGURES) {
    if (!(figures[figure] > 0 && figures[figure] < Number.POSITIVE_INFINITY))
      throw new Error(`${name}: ${figure} is a number above 0, not ${figures[figure]}.`);
  }
  return [
    figures.multAdds.toLocaleString("en-US"),
    figures.parameters.toLocaleString("en-US"),
    figures.ms.toLocaleString("en-US", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }),
  ];
}
