/** What the page asks of its worker, and what that answers. All of it is plain data that may be posted. */

import type { ModelDescription, Prediction, ProfiledStep } from "depthwise";

/** Pixels as a page has them: 1, 3 or 4 numbers a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** A picture, as pixels or as a file that is to be decoded. */
export type Shown = Picture | Blob;

export type BuiltIn = "digits" | "cifar10";

/** A network that is measured. */
export interface Measured {
  readonly name: string;
  readonly multAdds: number;
  readonly totalMs: number;
  readonly gflops: number;
  readonly limitGflops?: number;
  readonly backend: string;
  readonly simd: string;
  readonly steps: readonly MeasuredStep[];
}

export interface MeasuredStep extends ProfiledStep {
  /** Bytes of what it reads and writes, each once: activations and parameters. */
  readonly bytes: number;
}

export interface Opened {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly description: ModelDescription;
  readonly text: string;
  /** Layers whose maps can be looked at. */
  readonly layers: readonly string[];
  readonly hasAttention: boolean;
  readonly labels: readonly string[];
}

export interface Answered {
  readonly predictions: readonly Prediction[];
  /** Of the network alone: the mean of some runs. */
  readonly milliseconds: number;
  readonly backend: string;
  readonly simd: string;
  readonly threads: number;
  readonly reasons: readonly string[];
}

/** Maps of a layer, channel by channel; of large layers a part. */
export interface Maps {
  /** Of the layer itself. */
  readonly size: readonly [height: number, width: number, channels: number];
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** What was shown of each class, in the order of the classes. */
export interface Taught {
  readonly classes: readonly { readonly label: string; readonly examples: number }[];
}

type Nothing = Readonly<Record<never, never>>;

/** Questions by their names: what is given, and what comes back. */
export interface Tasks {
  readonly measure: {
    readonly given: { readonly alpha: number; readonly resolution: number; readonly standardConvolution: boolean };
    readonly answer: Measured;
  };
  readonly open: { readonly given: { readonly source: BuiltIn | readonly File[] }; readonly answer: Opened };
  readonly classify: { readonly given: { readonly picture: Shown; readonly topK: number }; readonly answer: Answered };
  readonly maps: { readonly given: { readonly picture: Shown; readonly layer: string }; readonly answer: Maps };
  /** Begins anew on the features of a network that lies in the page. */
  readonly teach: { readonly given: { readonly network: BuiltIn }; readonly answer: Taught };
  readonly addShots: {
    readonly given: { readonly label: string; readonly pictures: readonly Shown[] };
    readonly answer: Taught;
  };
  readonly removeShots: { readonly given: { readonly label: string }; readonly answer: Taught };
  readonly askShots: { readonly given: { readonly picture: Shown }; readonly answer: readonly Prediction[] };
  readonly saveShots: { readonly given: Nothing; readonly answer: Uint8Array<ArrayBuffer> };
  readonly loadShots: { readonly given: { readonly file: Blob }; readonly answer: Taught };
  readonly attention: { readonly given: { readonly picture: Shown; readonly index: number }; readonly answer: Maps };
}

export type TaskName = keyof Tasks;
export type Given<Name extends TaskName> = Tasks[Name]["given"];
export type Answer<Name extends TaskName> = Tasks[Name]["answer"];

export interface Question<Name extends TaskName = TaskName> {
  readonly id: number;
  readonly name: Name;
  readonly given: Given<Name>;
}

/** What went wrong, in words; `code` of an error of the library. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
}

export type Reply = { readonly id: number } & ({ readonly answer: unknown } | { readonly trouble: Trouble });
