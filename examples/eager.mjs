/** The three kernels by hand: a standard convolution, and the depthwise and pointwise ones that replace it. */
import { conv2d, depthwiseConv2d, pointwiseConv2d, tensor } from "depthwise";

const [height, width, channels, filters, k] = [6, 6, 4, 8, 3];
const ramp = (count) => Float32Array.from({ length: count }, (_, i) => (i % 7) / 7 - 0.4);
const image = tensor(ramp(height * width * channels), [1, height, width, channels]);

const standard = conv2d(image, tensor(ramp(k * k * channels * filters), [k, k, channels, filters]));
const depthwise = depthwiseConv2d(image, tensor(ramp(k * k * channels), [k, k, channels, 1]));
const separable = pointwiseConv2d(depthwise, tensor(ramp(channels * filters), [1, 1, channels, filters]));

const pixels = height * width;
const standardCost = k * k * channels * filters * pixels;
const separableCost = k * k * channels * pixels + channels * filters * pixels;
console.log("input                  ", image.shape.join(" × "));
console.log("standard convolution   ", standard.shape.join(" × "), ` ${standardCost} mult-adds`);
console.log("depthwise              ", depthwise.shape.join(" × "), ` ${k * k * channels * pixels} mult-adds`);
console.log("depthwise + pointwise  ", separable.shape.join(" × "), ` ${separableCost} mult-adds`);
console.log(`remaining fraction      ${(separableCost / standardCost).toFixed(4)} = 1/${filters} + 1/${k * k}`);
