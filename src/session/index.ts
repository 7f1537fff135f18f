export type { BackendName, Simd } from "../backends/choose-backend.ts";
export type { WorkerFactory } from "../backends/wasm/own-worker.ts";
export type { NumberArray } from "../core/buffers.ts";
export type { Plan, PlannedOutput, PlannedValue, Step } from "../plan/plan.ts";
export { type CompileOptions, compile } from "./compile.ts";
export { type DiagnosedChoice, type DiagnosedFeature, type Diagnosis, doctor } from "./doctor.ts";
export type { Profile, ProfiledStep, ProfileOptions } from "./profile.ts";
export { type AnyOutput, type Explanation, type RunOptions, type RunResult, Session } from "./session.ts";
