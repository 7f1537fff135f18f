/** How pictures look: what each class of a shape is, in light and in dark. */

/** Light and dark of each colour. */
const COLOURS = {
  page: ["#ffffff", "#0d1117"],
  text: ["#1f2328", "#e6edf3"],
  soft: ["#59636e", "#9198a1"],
  rule: ["#d1d9e0", "#3d444d"],
  standard: ["#bc4c00", "#db6d28"],
  depthwise: ["#1a7f37", "#3fb950"],
  pointwise: ["#0969da", "#4493f8"],
  dense: ["#8250df", "#ab7df8"],
  other: ["#818b98", "#656c76"],
} as const;

type Colour = keyof typeof COLOURS;

/** What classes fill, and what they draw lines of. */
const FILLED: Readonly<Record<string, Colour>> = {
  page: "page",
  text: "text",
  soft: "soft",
  standard: "standard",
  depthwise: "depthwise",
  pointwise: "pointwise",
  dense: "dense",
  other: "other",
  point: "pointwise",
  known: "other",
  joint: "page",
};
const DRAWN: Readonly<Record<string, Colour>> = {
  rule: "rule",
  lead: "soft",
  flow: "soft",
  joint: "soft",
  curve: "pointwise",
  across: "soft",
  bound: "standard",
  hollow: "pointwise",
  ring: "standard",
  edge: "page",
  halo: "page",
};

/** What has no colour, by the selectors that have it. */
const FIXED: readonly (readonly [selectors: readonly string[], declarations: string])[] = [
  [
    ["text"],
    "font-family: system-ui, -apple-system, 'Segoe UI', 'Noto Sans KR', 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif; font-variant-numeric: tabular-nums",
  ],
  [[".title", ".strong"], "font-weight: 600"],
  [[".curve", ".across", ".ring"], "fill: none; stroke-width: 1.5"],
  [[".across", ".bound"], "stroke-dasharray: 5 4"],
  [[".lead"], "stroke-width: 0.75"],
  [[".halo"], "stroke-width: 3; stroke-linejoin: round; paint-order: stroke"],
  [[".top"], "fill-opacity: 0.55"],
  [[".side"], "fill-opacity: 0.75"],
  [[".away"], "opacity: 0.35"],
  [[".pale"], "opacity: 0.65"],
];

/** The class under which all others stand, so that a page's own classes stay its own. */
export const PICTURE_CLASS = "depthwise-picture";

/** The style sheet of all pictures: light, and dark where the reader's system asks for it. */
export function pictureStyle(): string {
  const fixed = FIXED.map(
    ([selectors, declarations]) =>
      `${selectors.map((each) => `.${PICTURE_CLASS} ${each}`).join(", ")} { ${declarations} }`,
  );
  const dark = `@media (prefers-color-scheme: dark) { ${rulesOf(1).join(" ")} }`;
  return [...rulesOf(0), ...fixed, dark].join("\n");
}

function rulesOf(scheme: 0 | 1): readonly string[] {
  const rules = (classes: typeof FILLED, property: string) =>
    Object.entries(classes).map(
      ([name, colour]) => `.${PICTURE_CLASS} .${name} { ${property}: ${COLOURS[colour][scheme]} }`,
    );
  return [
    `.${PICTURE_CLASS} text { fill: ${COLOURS.text[scheme]} }`,
    ...rules(FILLED, "fill"),
    ...rules(DRAWN, "stroke"),
  ];
}
