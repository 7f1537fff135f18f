export type { Features } from "./emit.ts";
export { type EngineFeatures, probeFeatures } from "./features.ts";
export { BARRIER_BYTES, BARRIER_GATE, GATE_BYTES, SLEEPERS } from "./gate.ts";
export { type Addresses, type Cut, type Lowered, lower, lowerAfter } from "./lower.ts";
export { EMITTED, readModule, type WrittenModule, writeModule } from "./module-file.ts";
export { emitModule, MODULE_NAMES, type ModuleName } from "./modules.ts";
export { type Packing, packAll, type Weights } from "./pack.ts";
export { chooseTiles, TILES, type Tile, type TileName } from "./tiles.ts";
