/**
 * What the paper and TF-slim print: figures as strings, exactly as they stand there, and which network each row means.
 * Nothing counted is stored here; `paper()` counts.
 *
 * Sources: Howard et al. 2017, arXiv 1704.04861v1, tables 1 to 10, 12 and 14; tensorflow/models,
 * research/slim/nets/mobilenet_v1.md.
 */

import type { MobileNetV1Options } from "../models/index.ts";

/** A row of a table of networks. `network` is absent for networks of others, which are quoted only. */
export interface PrintedRow {
  readonly label: string;
  readonly accuracy?: string;
  /** In millions. */
  readonly multAdds: string;
  /** In millions. */
  readonly parameters: string;
  readonly network?: MobileNetV1Options;
  /** False where the paper does not say enough of the head to count parameters. */
  readonly countsParameters?: boolean;
  readonly erratum?: number;
}

export interface PrintedTable {
  readonly number: number;
  readonly title: string;
  readonly accuracy?: string;
  readonly note?: string;
  readonly rows: readonly PrintedRow[];
}

/** Table 1: type and stride, filter shape, input size. */
export const PRINTED_BODY: readonly (readonly [string, string, string])[] = [
  ["Conv / s2", "3 x 3 x 3 x 32", "224 x 224 x 3"],
  ["Conv dw / s1", "3 x 3 x 32 dw", "112 x 112 x 32"],
  ["Conv / s1", "1 x 1 x 32 x 64", "112 x 112 x 32"],
  ["Conv dw / s2", "3 x 3 x 64 dw", "112 x 112 x 64"],
  ["Conv / s1", "1 x 1 x 64 x 128", "56 x 56 x 64"],
  ["Conv dw / s1", "3 x 3 x 128 dw", "56 x 56 x 128"],
  ["Conv / s1", "1 x 1 x 128 x 128", "56 x 56 x 128"],
  ["Conv dw / s2", "3 x 3 x 128 dw", "56 x 56 x 128"],
  ["Conv / s1", "1 x 1 x 128 x 256", "28 x 28 x 128"],
  ["Conv dw / s1", "3 x 3 x 256 dw", "28 x 28 x 256"],
  ["Conv / s1", "1 x 1 x 256 x 256", "28 x 28 x 256"],
  ["Conv dw / s2", "3 x 3 x 256 dw", "28 x 28 x 256"],
  ["Conv / s1", "1 x 1 x 256 x 512", "14 x 14 x 256"],
  ["5x Conv dw / s1", "3 x 3 x 512 dw", "14 x 14 x 512"],
  ["5x Conv / s1", "1 x 1 x 512 x 512", "14 x 14 x 512"],
  ["Conv dw / s2", "3 x 3 x 512 dw", "14 x 14 x 512"],
  ["Conv / s1", "1 x 1 x 512 x 1024", "7 x 7 x 512"],
  ["Conv dw / s2", "3 x 3 x 1024 dw", "7 x 7 x 1024"],
  ["Conv / s1", "1 x 1 x 1024 x 1024", "7 x 7 x 1024"],
  ["Avg Pool / s1", "Pool 7 x 7", "7 x 7 x 1024"],
  ["FC / s1", "1024 x 1000", "1 x 1 x 1024"],
  ["Softmax / s1", "Classifier", "1 x 1 x 1000"],
];

/** Table 2: shares by type of layer. */
export const PRINTED_SHARES: readonly {
  readonly label: string;
  readonly multAdds: string;
  readonly parameters: string;
  readonly erratum?: number;
}[] = [
  { label: "Conv 1x1", multAdds: "94.86%", parameters: "74.59%" },
  { label: "Conv DW 3x3", multAdds: "3.06%", parameters: "1.06%" },
  { label: "Conv 3x3", multAdds: "1.19%", parameters: "0.02%", erratum: 2 },
  { label: "Fully Connected", multAdds: "0.18%", parameters: "24.33%" },
];

/** Table 3: one layer, 512 to 512 channels at 14 × 14: block 7 of the network. Each row adds to the one above. */
export const PRINTED_LAYER: readonly (PrintedRow & { readonly network: MobileNetV1Options })[] = [
  { label: "Convolution", multAdds: "462", parameters: "2.36", network: { standardConvolution: true } },
  { label: "Depthwise Separable Conv", multAdds: "52.3", parameters: "0.27", network: {} },
  { label: "alpha = 0.75", multAdds: "29.6", parameters: "0.15", network: { alpha: 0.75 } },
  { label: "rho = 0.714", multAdds: "15.1", parameters: "0.15", network: { alpha: 0.75, rho: 0.714 } },
];

const DOGS = { classes: 120 };
const BODY = { includeTop: false } as const;

export const PRINTED_NETWORKS: readonly PrintedTable[] = [
  {
    number: 4,
    title: "Depthwise Separable vs Full Convolution MobileNet",
    accuracy: "ImageNet Accuracy",
    rows: [
      {
        label: "Conv MobileNet",
        accuracy: "71.7%",
        multAdds: "4866",
        parameters: "29.3",
        network: { standardConvolution: true },
        erratum: 3,
      },
      { label: "MobileNet", accuracy: "70.6%", multAdds: "569", parameters: "4.2", network: {} },
    ],
  },
  {
    number: 5,
    title: "Narrow vs Shallow MobileNet",
    accuracy: "ImageNet Accuracy",
    rows: [
      { label: "0.75 MobileNet", accuracy: "68.4%", multAdds: "325", parameters: "2.6", network: { alpha: 0.75 } },
      { label: "Shallow MobileNet", accuracy: "65.3%", multAdds: "307", parameters: "2.9", network: { shallow: true } },
    ],
  },
  {
    number: 6,
    title: "MobileNet Width Multiplier",
    accuracy: "ImageNet Accuracy",
    rows: [
      { label: "1.0 MobileNet-224", accuracy: "70.6%", multAdds: "569", parameters: "4.2", network: {} },
      { label: "0.75 MobileNet-224", accuracy: "68.4%", multAdds: "325", parameters: "2.6", network: { alpha: 0.75 } },
      { label: "0.5 MobileNet-224", accuracy: "63.7%", multAdds: "149", parameters: "1.3", network: { alpha: 0.5 } },
      { label: "0.25 MobileNet-224", accuracy: "50.6%", multAdds: "41", parameters: "0.5", network: { alpha: 0.25 } },
    ],
  },
  {
    number: 7,
    title: "MobileNet Resolution",
    accuracy: "ImageNet Accuracy",
    rows: [
      { label: "1.0 MobileNet-224", accuracy: "70.6%", multAdds: "569", parameters: "4.2", network: {} },
      {
        label: "1.0 MobileNet-192",
        accuracy: "69.1%",
        multAdds: "418",
        parameters: "4.2",
        network: { resolution: 192 },
      },
      {
        label: "1.0 MobileNet-160",
        accuracy: "67.2%",
        multAdds: "290",
        parameters: "4.2",
        network: { resolution: 160 },
        erratum: 4,
      },
      {
        label: "1.0 MobileNet-128",
        accuracy: "64.4%",
        multAdds: "186",
        parameters: "4.2",
        network: { resolution: 128 },
      },
    ],
  },
  {
    number: 8,
    title: "MobileNet Comparison to Popular Models",
    accuracy: "ImageNet Accuracy",
    rows: [
      { label: "1.0 MobileNet-224", accuracy: "70.6%", multAdds: "569", parameters: "4.2", network: {} },
      { label: "GoogleNet", accuracy: "69.8%", multAdds: "1550", parameters: "6.8", erratum: 14 },
      { label: "VGG 16", accuracy: "71.5%", multAdds: "15300", parameters: "138", erratum: 15 },
    ],
  },
  {
    number: 9,
    title: "Smaller MobileNet Comparison to Popular Models",
    accuracy: "ImageNet Accuracy",
    rows: [
      {
        label: "0.50 MobileNet-160",
        accuracy: "60.2%",
        multAdds: "76",
        parameters: "1.32",
        network: { alpha: 0.5, resolution: 160 },
        erratum: 5,
      },
      { label: "Squeezenet", accuracy: "57.5%", multAdds: "1700", parameters: "1.25", erratum: 16 },
      { label: "AlexNet", accuracy: "57.2%", multAdds: "720", parameters: "60", erratum: 17 },
    ],
  },
  {
    number: 10,
    title: "MobileNet for Stanford Dogs",
    accuracy: "Top-1 Accuracy",
    note: "counted with the 120 breeds of the data set",
    rows: [
      { label: "Inception V3", accuracy: "84%", multAdds: "5000", parameters: "23.2" },
      { label: "1.0 MobileNet-224", accuracy: "83.3%", multAdds: "569", parameters: "3.3", network: DOGS, erratum: 6 },
      {
        label: "0.75 MobileNet-224",
        accuracy: "81.9%",
        multAdds: "325",
        parameters: "1.9",
        network: { ...DOGS, alpha: 0.75 },
      },
      {
        label: "1.0 MobileNet-192",
        accuracy: "81.9%",
        multAdds: "418",
        parameters: "3.3",
        network: { ...DOGS, resolution: 192 },
        erratum: 7,
      },
      {
        label: "0.75 MobileNet-192",
        accuracy: "80.5%",
        multAdds: "239",
        parameters: "1.9",
        network: { ...DOGS, alpha: 0.75, resolution: 192 },
      },
    ],
  },
  {
    number: 12,
    title: "Face attribute classification using the MobileNet architecture",
    accuracy: "Mean AP",
    note: "counted without a classifier: the number of attributes is not given",
    rows: [
      { label: "1.0 MobileNet-224", accuracy: "88.7%", multAdds: "568", parameters: "3.2", network: BODY },
      {
        label: "0.5 MobileNet-224",
        accuracy: "88.1%",
        multAdds: "149",
        parameters: "0.8",
        network: { ...BODY, alpha: 0.5 },
      },
      {
        label: "0.25 MobileNet-224",
        accuracy: "87.2%",
        multAdds: "45",
        parameters: "0.2",
        network: { ...BODY, alpha: 0.25 },
        erratum: 8,
      },
      {
        label: "1.0 MobileNet-128",
        accuracy: "88.1%",
        multAdds: "185",
        parameters: "3.2",
        network: { ...BODY, resolution: 128 },
      },
      {
        label: "0.5 MobileNet-128",
        accuracy: "87.7%",
        multAdds: "48",
        parameters: "0.8",
        network: { ...BODY, alpha: 0.5, resolution: 128 },
        erratum: 10,
      },
      {
        label: "0.25 MobileNet-128",
        accuracy: "86.4%",
        multAdds: "15",
        parameters: "0.2",
        network: { ...BODY, alpha: 0.25, resolution: 128 },
        erratum: 9,
      },
      { label: "Baseline", accuracy: "86.9%", multAdds: "1600", parameters: "7.5" },
    ],
  },
  {
    number: 14,
    title: "MobileNet Distilled from FaceNet",
    accuracy: "1e-4 Accuracy",
    note: "counted without the embedding head, which is not given; so parameters are not compared",
    rows: [
      { label: "FaceNet", accuracy: "83%", multAdds: "1600", parameters: "7.5" },
      {
        label: "1.0 MobileNet-160",
        accuracy: "79.4%",
        multAdds: "286",
        parameters: "4.9",
        network: { ...BODY, resolution: 160 },
        countsParameters: false,
        erratum: 11,
      },
      {
        label: "1.0 MobileNet-128",
        accuracy: "78.3%",
        multAdds: "185",
        parameters: "5.5",
        network: { ...BODY, resolution: 128 },
        countsParameters: false,
      },
      {
        label: "0.75 MobileNet-128",
        accuracy: "75.2%",
        multAdds: "166",
        parameters: "3.4",
        network: { ...BODY, alpha: 0.75, resolution: 128 },
        countsParameters: false,
        erratum: 12,
      },
      {
        label: "0.75 MobileNet-128",
        accuracy: "72.5%",
        multAdds: "108",
        parameters: "3.8",
        network: { ...BODY, alpha: 0.75, resolution: 128 },
        countsParameters: false,
        erratum: 13,
      },
    ],
  },
];

export interface PrintedCheckpoint {
  readonly alpha: number;
  readonly resolution: number;
  /** Millions, as printed. */
  readonly macs: string;
  readonly parameters: string;
  /** Per cent, ImageNet 2012 validation, single crop. */
  readonly top1: string;
  readonly top5: string;
  /** Why `macs` differs from the count. */
  readonly note?: string;
}

const NO_STEM = "the first layer is left out here; the docstring of the same project counts it";

/** TF-slim's sixteen checkpoints, counted with 1001 classes and the convention `slim`. */
export const PRINTED_CHECKPOINTS: readonly PrintedCheckpoint[] = [
  { alpha: 1, resolution: 224, macs: "569", parameters: "4.24", top1: "70.9", top5: "89.9" },
  { alpha: 1, resolution: 192, macs: "418", parameters: "4.24", top1: "70.0", top5: "89.2" },
  { alpha: 1, resolution: 160, macs: "291", parameters: "4.24", top1: "68.0", top5: "87.7" },
  { alpha: 1, resolution: 128, macs: "186", parameters: "4.24", top1: "65.2", top5: "85.8" },
  { alpha: 0.75, resolution: 224, macs: "317", parameters: "2.59", top1: "68.4", top5: "88.2", note: NO_STEM },
  { alpha: 0.75, resolution: 192, macs: "233", parameters: "2.59", top1: "67.2", top5: "87.3", note: NO_STEM },
  { alpha: 0.75, resolution: 160, macs: "162", parameters: "2.59", top1: "65.3", top5: "86.0", note: NO_STEM },
  { alpha: 0.75, resolution: 128, macs: "104", parameters: "2.59", top1: "62.1", top5: "83.9", note: NO_STEM },
  {
    alpha: 0.5,
    resolution: 224,
    macs: "150",
    parameters: "1.34",
    top1: "63.3",
    top5: "84.9",
    note: "rounded twice, or the additions of the average pool were counted",
  },
  { alpha: 0.5, resolution: 192, macs: "110", parameters: "1.34", top1: "61.7", top5: "83.6" },
  { alpha: 0.5, resolution: 160, macs: "77", parameters: "1.34", top1: "59.1", top5: "81.9" },
  { alpha: 0.5, resolution: 128, macs: "49", parameters: "1.34", top1: "56.3", top5: "79.4" },
  { alpha: 0.25, resolution: 224, macs: "41", parameters: "0.47", top1: "49.8", top5: "74.2" },
  {
    alpha: 0.25,
    resolution: 192,
    macs: "34",
    parameters: "0.47",
    top1: "47.7",
    top5: "72.3",
    note: "as with a floor of 16 channels in place of 8",
  },
  { alpha: 0.25, resolution: 160, macs: "21", parameters: "0.47", top1: "45.5", top5: "70.3" },
  { alpha: 0.25, resolution: 128, macs: "14", parameters: "0.47", top1: "41.5", top5: "66.3" },
];
