declare module "virtual:formulas" {
  import type { FormulaName } from "../math.ts";

  const formulas: Readonly<Record<FormulaName, string>>;
  export default formulas;
}

declare module "virtual:pictures.css" {}
