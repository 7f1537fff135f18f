/** What the page asks of its worker, and what that answers. All of it is plain data that may be posted. */

import type { Prediction, ProfiledStep } from "depthwise";
import type { ImageDataLike } from "depthwise/images";
import type { Fault } from "../fault.ts";

/** A picture, as pixels or as a file that is to be decoded. */
export type Shown = ImageDataLike | Blob;

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
  readonly steps: readonly ProfiledStep[];
}

export interface Opened {
  /** What is known of the network, and what that rests on. */
  readonly text: string;
  /** Layers whose maps can be looked at. */
  readonly layers: readonly string[];
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
  readonly data: Float32Array | Uint8Array;
}

/** What is seen inside a network that looks at a picture. */
export interface Look {
  readonly maps: Maps;
  /** Of a network that ends in a global pool and one layer behind it. */
  readonly classActivation?: ClassActivation;
}

/** How much each place speaks for a class (Zhou et al. 2016), and what is there: the network's crop of the picture. */
export interface ClassActivation {
  readonly map: Maps;
  /** Bytes, of 1 or 3 channels. */
  readonly photo: Maps;
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
  /** The maps of a layer, and what speaks for the class of an index. */
  readonly look: {
    readonly given: { readonly picture: Shown; readonly layer: string; readonly index: number };
    readonly answer: Look;
  };
  /** What is known on the features of a network that lies in the page: nothing for another than before, or if anew. */
  readonly teach: { readonly given: { readonly network: BuiltIn; readonly isAnew?: boolean }; readonly answer: Taught };
  readonly addShots: {
    readonly given: { readonly network: BuiltIn; readonly label: string; readonly pictures: readonly Shown[] };
    readonly answer: Taught;
  };
  readonly removeShots: { readonly given: { readonly label: string }; readonly answer: Taught };
  readonly askShots: { readonly given: { readonly picture: Shown }; readonly answer: readonly Prediction[] };
  readonly saveShots: { readonly given: Nothing; readonly answer: Uint8Array<ArrayBuffer> };
  readonly loadShots: { readonly given: { readonly network: BuiltIn; readonly file: Blob }; readonly answer: Taught };
}

export type TaskName = keyof Tasks;
export type Given<Name extends TaskName> = Tasks[Name]["given"];
export type Answer<Name extends TaskName> = Tasks[Name]["answer"];

export interface Question<Name extends TaskName = TaskName> {
  readonly id: number;
  readonly name: Name;
  readonly given: Given<Name>;
}

/** That nobody waits for the answer to a question any more. */
export interface Withdrawal {
  readonly withdrawn: number;
}

export type Reply = { readonly id: number } & ({ readonly answer: unknown } | { readonly fault: Fault });
