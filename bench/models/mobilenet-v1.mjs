/**
 * MobileNet V1 as a list of layers with their sizes, written down apart from the library: a bench that asked the
 * library for its own layers could not notice that one is missing.
 *
 * Source: Howard et al. 2017, "MobileNets", table 1; every window is TensorFlow's "same".
 */

export const STEM_FILTERS = 32;

/** Stride of the depthwise layer, filters of the pointwise layer after it. */
const BLOCKS = [
  [1, 64],
  [2, 128],
  [1, 128],
  [2, 256],
  [1, 256],
  [2, 512],
  ...Array.from({ length: 5 }, () => [1, 512]),
  [2, 1024],
  [1, 1024],
];

/** Layers in order; `inSize` and `outSize` are sides in pixels, the same whether a window of 3 × 3 is padded evenly. */
export function layers({ alpha, resolution, classes, stemStride = 2 }) {
  const list = [];
  let size = resolution;
  let channels = 3;
  const push = (type, name, { kernel = 1, stride = 1, filters = channels }) => {
    const outSize = Math.ceil(size / stride);
    list.push({ type, name, kernel, stride, inChannels: channels, outChannels: filters, inSize: size, outSize });
    size = outSize;
    channels = filters;
  };
  push("conv", "conv1", { kernel: 3, stride: stemStride, filters: Math.floor(STEM_FILTERS * alpha) });
  BLOCKS.forEach(([stride, filters], index) => {
    push("depthwise", `conv_dw_${index + 1}`, { kernel: 3, stride });
    push("pointwise", `conv_pw_${index + 1}`, { filters: Math.floor(filters * alpha) });
  });
  push("pool", "pool", { kernel: size, stride: size });
  push("classifier", "conv_preds", { filters: classes });
  return list;
}

/** Multiply-adds of one layer; pooling counts none. */
export function layerMultAdds({ type, kernel, inChannels, outChannels, outSize }) {
  if (type === "pool") return 0;
  const eachOutput = kernel * kernel * (type === "depthwise" ? 1 : inChannels);
  return outSize * outSize * outChannels * eachOutput;
}

/** Multiply-adds of the whole network. */
export function multAdds(model) {
  return layers(model).reduce((sum, layer) => sum + layerMultAdds(layer), 0);
}
