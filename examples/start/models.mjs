/** The two networks of the first run. Until they are trained: untrained ones of their shapes. */
import { mobileNetV1 } from "depthwise";

const STEM = { stride: 1, filters: 32 };
const CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

export const digits = async () =>
  mobileNetV1({
    alpha: 0.25,
    resolution: 28,
    inputChannels: 1,
    classes: 10,
    stem: STEM,
    labels: [..."0123456789"],
    preprocessing: { resize: "stretch", range: [0, 1] },
  });

export const cifar10 = async () =>
  mobileNetV1({
    alpha: 0.5,
    resolution: 32,
    classes: 10,
    stem: STEM,
    labels: CLASSES,
    preprocessing: { resize: "stretch", range: [-1, 1] },
  });

/** What stands under the predictions. */
export const learnt = ["The networks are untrained: what they say of them is chance."];
