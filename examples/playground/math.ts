/** Formulas as MathML, made from TeX when the page is built: none of the typesetter reaches the page. */

import temml from "temml";
import type { Plugin } from "vite";

/** By the names that `<Formula name="…">` takes. */
export const FORMULAS = {
  standard: "D_K^2 \\cdot M \\cdot N \\cdot D_F^2",
  depthwise: "D_K^2 \\cdot M \\cdot D_F^2",
  separable: "D_K^2 \\cdot M \\cdot D_F^2 + M \\cdot N \\cdot D_F^2",
  ratio:
    "\\frac{D_K^2 \\cdot M \\cdot D_F^2 + M \\cdot N \\cdot D_F^2}{D_K^2 \\cdot M \\cdot N \\cdot D_F^2} = \\frac{1}{N} + \\frac{1}{D_K^2}",
  // μ is the depth multiplier.
  depthwiseTimes: "D_K^2 \\cdot \\mu M \\cdot D_F^2",
  separableTimes: "D_K^2 \\cdot \\mu M \\cdot D_F^2 + \\mu M \\cdot N \\cdot D_F^2",
  ratioTimes:
    "\\frac{D_K^2 \\cdot \\mu M \\cdot D_F^2 + \\mu M \\cdot N \\cdot D_F^2}{D_K^2 \\cdot M \\cdot N \\cdot D_F^2} = \\frac{\\mu}{N} + \\frac{\\mu}{D_K^2}",
  ratioAloneTimes: "\\frac{D_K^2 \\cdot \\mu M \\cdot D_F^2}{D_K^2 \\cdot M \\cdot N \\cdot D_F^2} = \\frac{\\mu}{N}",
  mu: "\\mu",
  ratioAlone: "\\frac{D_K^2 \\cdot M \\cdot D_F^2}{D_K^2 \\cdot M \\cdot N \\cdot D_F^2} = \\frac{1}{N}",
  resolution: "D_K^2 \\cdot \\alpha M \\cdot (\\rho D_F)^2 + \\alpha M \\cdot \\alpha N \\cdot (\\rho D_F)^2",
  DK: "D_K",
  M: "M",
  N: "N",
  alpha: "\\alpha",
  rho: "\\rho",
} as const;

export type FormulaName = keyof typeof FORMULAS;

/** The page's policy allows no style in an attribute, and the elements look right without. */
const UNWANTED = / (?:style|class)="[^"]*"/g;

export function mathml(name: FormulaName): string {
  return temml.renderToString(FORMULAS[name], { strict: true, throwOnError: true }).replaceAll(UNWANTED, "");
}

const MODULE = "virtual:formulas";

/** `import formulas from "virtual:formulas"`, and `%formula.NAME%` in the page's HTML. */
export function formulas(): Plugin {
  const all = Object.fromEntries((Object.keys(FORMULAS) as FormulaName[]).map((name) => [name, mathml(name)]));
  return {
    name: "formulas",
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    load: (id) => (id === `\0${MODULE}` ? `export default ${JSON.stringify(all)};` : null),
    transformIndexHtml: (html) => html.replaceAll(/%formula\.(\w+)%/g, (found, name: string) => all[name] ?? found),
  };
}
