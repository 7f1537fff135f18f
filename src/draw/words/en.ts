/** What pictures say in English. What stands in braces of a sentence is a number or a name that is written already. */

export const EN = {
  percent: (number: string) => `${number} %`,
  noun: {
    layer: "layer",
    kind: "kind",
    network: "network",
    input: "input",
    output: "output",
    stride: "stride",
    share: "share",
    top1: "top-1",
    multAdds: "mult-adds",
    parameters: "parameters",
    formula: "formula",
    what: "what",
  },
  /** What conventions call an operation. */
  operations: {
    "mult-adds": "mult-adds",
    MACs: "MACs",
    flops: "flops",
    "floating point operations": "floating point operations",
  },
  kind: {
    standard: "standard convolution",
    depthwise: "depthwise convolution",
    pointwise: "pointwise convolution",
    dense: "fully connected",
    other: "other layers",
  },

  cost: {
    title: (network: string) => `What ${network} costs, layer by layer`,
    convention: (name: string) => `counted by the convention ${name}`,
    total: (operations: string, word: string, parameters: string) => `${operations} ${word}, ${parameters} parameters`,
    totalParameters: (parameters: string) => `${parameters} parameters (the convention counts no operations)`,
    free: (count: string) => `Not shown: ${count} without a cost by this convention.`,
    layers: (count: number, written: string) => (count === 1 ? "1 layer" : `${written} layers`),
    rest: (layers: string) => `${layers} that cost less`,
    nothing: "No layer costs anything by this convention.",
    description: (layers: string, largest: string, share: string) =>
      `A bar for each layer, ${layers} in all. The largest is ${largest}, with ${share}.`,
  },

  network: {
    title: (network: string) => `${network}, layer by layer`,
    description: (layers: string, pairs: string) =>
      `A box for each layer, in the order in which they run: its width is the number of channels, its height that of the feature map. Drawn are ${layers}; ${pairs}.`,
    pairs: (count: number, written: string) =>
      count === 0
        ? "none of them make a depthwise separable pair"
        : count === 1
          ? "two of them make a depthwise separable pair"
          : `${written} times a depthwise layer and the pointwise layer behind it make a separable pair`,
    measures: "Width: channels. Height: height of the feature map.",
    stride: "↓2: stride 2",
    pair: "a pair on one line: depthwise separable",
    pool: "pool, and whatever else",
    dense: "fully connected (not to scale)",
    sum: "+ and ×: with what an earlier layer gave; branches are not drawn, layers stand in the order in which they run",
    hidden: (kinds: string) => `Not drawn, since shapes stay as they are: ${kinds}.`,
    unseen: {
      batchNorm: (count: string) => `batch norm (${count})`,
      activation: (count: string) => `activation (${count})`,
      softmax: (count: string) => `softmax (${count})`,
    },
    more: (layers: string) => `Not drawn for want of room: ${layers} more.`,
  },

  separable: {
    title: "A standard convolution, and the separable pair in its place",
    standard: (filters: string, kernel: string, channels: string) =>
      `Standard convolution: filters of ${kernel} × ${kernel} × ${channels}, ${filters} of them`,
    depthwise: (filters: string, kernel: string) =>
      `Depthwise convolution: filters of ${kernel} × ${kernel} × 1, ${filters} of them`,
    pointwise: (filters: string, channels: string) =>
      `Pointwise convolution: filters of 1 × 1 × ${channels}, ${filters} of them`,
    count: (multAdds: string) => `${multAdds} mult-adds`,
    sum: (multAdds: string) => `Depthwise and pointwise: ${multAdds} mult-adds`,
    ratio: (share: string, times: string) => `${share} of the standard convolution's: ${times} times fewer`,
    ratioMore: (share: string) => `${share} of the standard convolution's: here the pair saves nothing`,
    formula: (formula: string, numbers: string, value: string) => `${formula} = ${numbers} = ${value}`,
    sizes: (output: string, side: string) => `D_F = ${output}, side of the output; side of the input: ${side}`,
    side: (side: string) => `D_F = ${side}, side of the output and of the input`,
    multiplier: (multiplier: string) => `μ = ${multiplier}, depthwise filters for each channel`,
    description: (standard: string, pair: string) =>
      `Three kinds of filters as boxes: standard, depthwise and pointwise. The standard convolution takes ${standard} mult-adds, the pair ${pair}.`,
  },

  front: {
    title: { imagenet: "Accuracy on ImageNet against mult-adds", cifar10: "Accuracy on CIFAR-10 against mult-adds" },
    onFront: "on the front: none is cheaper in mult-adds and parameters and as accurate",
    offFront: "not on the front",
    isOnFront: "on the front",
    fits: "within the budget",
    tooMuch: "over the budget",
    best: (name: string, accuracy: string, multAdds: string) =>
      `Best within the budget: ${name}, ${accuracy} at ${multAdds} mult-adds`,
    bounds: (bounds: string) => `Budget: ${bounds}`,
    bound: {
      multAdds: (count: string) => `at most ${count} mult-adds`,
      parameters: (count: string) => `at most ${count} parameters`,
      bytes: (count: string) => `at most ${count} bytes of weights`,
      activationBytes: (count: string) => `at most ${count} bytes of activations`,
    },
    nothingFits: "Nothing fits the budget.",
    description: (networks: string, front: string) =>
      `A point for each of ${networks} networks, mult-adds on a logarithmic axis; ${front} are on the Pareto front of mult-adds, parameters and accuracy.`,
  },

  accuracy: {
    title: {
      imagenet: {
        multAdds: "Accuracy on ImageNet against mult-adds",
        parameters: "Accuracy on ImageNet against parameters",
      },
      cifar10: {
        multAdds: "Accuracy on CIFAR-10 against mult-adds",
        parameters: "Accuracy on CIFAR-10 against parameters",
      },
    },
    ofAlpha: "one resolution, widths α",
    ofRho: "one width α, resolutions",
    others: "shallow, or of standard convolutions",
    description: (networks: string) =>
      `A point for each of ${networks} networks, named by its width α and the side of its input; lines join networks of one resolution and networks of one width.`,
  },

  axis: {
    multAdds: "mult-adds, logarithmic",
    parameters: "parameters, logarithmic",
    top1: "top-1 accuracy",
  },
  source: {
    imagenet: "TF-slim's networks, as published",
    cifar10: "trained and measured with this library",
  },
  yes: "yes",
  no: "no",
  nothingMeasured: "Nothing has been measured yet.",
};

/** What every language says. */
export type PictureWords = typeof EN;
