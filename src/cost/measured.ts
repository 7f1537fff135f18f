/**
 * What was measured on CIFAR-10's test pictures by networks of this library that were trained the same way.
 * Written by `npm run train:paper -- --report`, of what docs/paper-again.md says; not by hand.
 */

/** A network of 10 classes whose stem has stride 1, and what it has learnt. */
export interface MeasuredNetwork {
  readonly name: string;
  readonly alpha: number;
  /** Side of the input in pixels; CIFAR-10's pictures have 32. */
  readonly resolution: number;
  readonly shallow?: true;
  readonly standardConvolution?: true;
  /** Per cent of the 10,000 test pictures, the mean over the seeds. */
  readonly top1: number;
  /** How many runs that is the mean of. */
  readonly seeds: number;
}

// biome-ignore format: a row a network
export const MEASURED_ON_CIFAR10: readonly MeasuredNetwork[] = [
  { name: "1.0-32", alpha: 1, resolution: 32, top1: 86.37, seeds: 1 },
  { name: "0.75-32", alpha: 0.75, resolution: 32, top1: 85.11, seeds: 2 },
  { name: "0.5-32", alpha: 0.5, resolution: 32, top1: 82.63, seeds: 2 },
  { name: "0.25-32", alpha: 0.25, resolution: 32, top1: 77.47, seeds: 3 },
  { name: "0.5-24", alpha: 0.5, resolution: 24, top1: 78.84, seeds: 3 },
  { name: "0.5-16", alpha: 0.5, resolution: 16, top1: 69.26, seeds: 3 },
  { name: "0.25-32-standard", alpha: 0.25, resolution: 32, standardConvolution: true, top1: 85.91, seeds: 2 },
  { name: "0.5-32-shallow", alpha: 0.5, resolution: 32, shallow: true, top1: 83.72, seeds: 3 },
  { name: "0.37-32", alpha: 0.37, resolution: 32, top1: 81.16, seeds: 3 },
];
