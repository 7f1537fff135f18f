/** A formula, set when the page was built. */

import formulas from "virtual:formulas";
import type { FormulaName } from "../../math.ts";

export function Formula({ name, block = false }: { readonly name: FormulaName; readonly block?: boolean }) {
  const Box = block ? "div" : "span";
  // Markup of ours, of the build: no text of anybody else comes near it.
  return <Box class={block ? "formula block" : "formula"} dangerouslySetInnerHTML={{ __html: formulas[name] ?? "" }} />;
}
