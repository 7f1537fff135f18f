/** The two networks of the first run, which lie in the package. */
export { cifar10 } from "depthwise/models/cifar10";
export { digits } from "depthwise/models/digits";

/** What stands under the predictions. */
export const learnt = [
  "The networks learnt from photographs and handwriting, CIFAR-10 and MNIST,",
  "not from drawings: docs/models says what they know and do not.",
];
