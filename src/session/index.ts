export type { Plan, PlannedOutput, Step } from "../plan/plan.ts";
export { type BackendName, type CompileOptions, compile } from "./compile.ts";
export { type RunOptions, type RunResult, Session } from "./session.ts";
