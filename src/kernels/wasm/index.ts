export { lowerAfter } from "./activation.ts";
export type { Kernel } from "./arguments.ts";
export { exportOf, type Instances } from "./bind.ts";
export type { Features } from "./emit.ts";
export { type EngineFeatures, probeFeatures } from "./features.ts";
export { BARRIER_BYTES, BARRIER_GATE, GATE_BYTES, SLEEPERS } from "./gate.ts";
export { FORWARD, lower, type WasmKernels } from "./lower.ts";
export type { Addresses, Cut, Lowered } from "./lowered.ts";
export { EMITTED, readModule, type WrittenModule, writeModule } from "./module-file.ts";
export { type Emitter, emitModule, MODULE_NAMES, type ModuleExports, type ModuleName } from "./modules.ts";
export {
  type Packer,
  type Packing,
  packAll,
  readSlots,
  setKernel,
  stagingBytes,
  type Weights,
  writeSlots,
} from "./pack.ts";
export { chooseTiles, productFor, TILES, type Tile, type TileName } from "./tiles.ts";
