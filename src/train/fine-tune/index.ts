/** Fine-tuning. */

export { fineTune } from "./fine-tune.ts";
export type { FineTuneOptions } from "./fine-tune-options.ts";
