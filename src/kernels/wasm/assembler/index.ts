export {
  access,
  type Code,
  drop,
  type Expression,
  extractLane,
  float,
  int,
  type Local,
  long,
  op,
  repeat,
  type Statement,
  select,
  set,
  storeLane,
  tee,
  when,
} from "./code.ts";
export type { ValueType } from "./instructions.ts";
export {
  call,
  type MakeLocal,
  type MemoryLimits,
  type ModuleBuilder,
  moduleBuilder,
  type WasmFunction,
} from "./module.ts";
