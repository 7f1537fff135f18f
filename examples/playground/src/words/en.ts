/** What the page says, in English. `ko.ts` has the same keys. */

export const en = {
  name: "English",
  title: "Depthwise separable convolutions, step by step",
  subtitle: "How MobileNets do with an eighth of the multiplications, with real numbers, in your browser.",
  language: "Language",
  sections: "Sections",
  views: {
    why: "Why it is cheap",
    widths: "α and ρ",
    speed: "Why not nine times faster?",
    try: "Try it",
    teach: "Teach it",
  },
  loading: "Loading …",
  source: "Everything on this page is computed here, by the library depthwise; nothing leaves your browser.",
  close: "Close",
  questions: {
    title: "Questions",
    list: {
      mixing: {
        ask: "Why does depthwise alone not mix channels?",
        answer:
          "Each depthwise filter reads one channel. Below, the pointwise step is left out and input channel 1 has been changed: output channel 1 alone is another. Switch the pointwise step on, and every output changes.",
      },
      separable: {
        ask: "Depthwise, or depthwise separable?",
        answer:
          "Depthwise is the first half: one filter a channel. Depthwise separable is both halves: depthwise, then a 1×1 convolution that mixes the channels. On the right, the two halves have a heading each.",
      },
      channels: {
        ask: "Must there be as many channels out as in?",
        answer:
          "Out of the depthwise step come M times the depth multiplier, here 2. Out of the pointwise step come N, whatever M is: here 2 channels become 6.",
      },
      stride: {
        ask: "Why D_F, and what about the stride?",
        answer:
          "D_F is the side of the output: each filter is applied once for each of its D_F² places. With stride 2 the window goes two pixels a step, D_F is half as long, and all counts are a quarter.",
      },
      letters: {
        ask: "Which is M, and which is N?",
        answer: "M channels go in, N come out. Below M is 3 and N is 5: count the grids on either side.",
      },
      ratio: {
        ask: "Why 1/N + 1/D_K², and why does N soon stop mattering?",
        answer:
          "Divide the pair's count by the standard one: M and D_F² cancel. The pointwise part is 1/D_K² of the standard count, the depthwise part 1/N. With a 3×3 kernel 1/9 stays, however large N is; from N = 64 on, 1/N is less than a sixth of that.",
      },
      speed: {
        ask: "Nine times fewer operations, so why not nine times faster?",
        answer:
          "A depthwise convolution reads as much memory for a ninth of the work and less, so that it waits for memory. Measure both networks here and look at the multiply-adds of each byte.",
      },
      alpha: {
        ask: "α, ρ, depth multiplier: which is which?",
        answer:
          "α makes all layers narrower: M and N become αM and αN. ρ makes the picture smaller. The depth multiplier is neither: it says how many outputs the depthwise step has for each channel. Keras calls α alpha and the depthwise multiplier depth_multiplier; TensorFlow-Slim calls α depth_multiplier.",
      },
      macs: {
        ask: "MACs or FLOPs?",
        answer:
          "A multiply-add is one multiplication and one addition. The paper, MACs and “FLOPs” of many papers count it as one; hardware makers count two. Change the rule below and see the number change, while the network stays.",
      },
      memory: {
        ask: "Fewer operations, yet more memory?",
        answer:
          "The pair keeps one more map between its halves, so its activations take more memory than those of the standard convolution. Compare the two networks' activations below.",
      },
    },
  },
  why: {
    lead: "A convolution can be split in two: one filter for each channel, then a 1×1 convolution that mixes the channels. Both routes below make the same output, number for number. Step through them and count.",
    settings: "Sizes",
    kernelSize: "Side of the kernel",
    inputChannels: "Input channels",
    filters: "Output channels",
    size: "Side of the input",
    outputSide: (side: string) => `Side of the output D_F = ${side}`,
    stride: "Stride",
    padding: "Padding",
    same: "same: zeros around",
    valid: "valid: none",
    multiplier: "Depth multiplier",
    cursor: "Step through both routes",
    first: "To the beginning",
    back: "One multiplication back",
    play: "Play",
    pause: "Pause",
    next: "Next multiplication",
    nextCell: "Next output cell",
    backCell: "Output cell back",
    last: "To the end",
    scrub: "Place in the course",
    standard: "Standard convolution",
    pair: "Depthwise separable convolution",
    depthwiseStep: "1. Depthwise: one filter a channel",
    pointwiseStep: "2. Pointwise: 1×1, mixes the channels",
    alone: "Depthwise convolution alone",
    input: (channel: string) => `input, channel ${channel}`,
    kernelOf: (channel: string, filter: string) => `kernel for output ${filter}, channel ${channel}`,
    depthwiseKernel: (channel: string) => `kernel of channel ${channel}`,
    between: (channel: string) => `between, channel ${channel}`,
    pointwiseKernel: (filter: string) => `1×1 kernel for output ${filter}`,
    output: (channel: string) => `output, channel ${channel}`,
    cell: (row: string, column: string, filter: string) =>
      `Output cell: row ${row}, column ${column}, channel ${filter}`,
    product: (value: string, weight: string, product: string, sum: string) =>
      `${value} × ${weight} = ${product}; sum so far ${sum}`,
    notYet: "Nothing multiplied yet in this cell.",
    waits: (value: string) => `Done: ${value}. It waits for the other route.`,
    already: "The depthwise step of this place is made already, and serves all output channels.",
    multiplications: "multiplications",
    ofAll: (count: string, all: string) => `${count} of ${all}`,
    ratio: "Ratio",
    ratioNow: (ratio: string) => `${ratio} so far`,
    ends: (pair: string, standard: string, ratio: string) => `In the end ${pair} / ${standard} = ${ratio}.`,
    formulaRatio: (n: string, area: string, ratio: string) => `1/${n} + 1/${area} = ${ratio}`,
    multiplied: "With a depth multiplier above 1 the pair costs that many times as much.",
    mixing: "Pointwise step",
    mixingOn: "on: channels are mixed",
    mixingOff: "off: depthwise alone",
    change: "Change an input channel",
    changeNone: "none",
    changedSentence: (input: string, outputs: string) =>
      `Input channel ${input} has other numbers. Output channels that changed: ${outputs}.`,
    legend: "The blue frame is the window, the orange cell is being multiplied.",
  },
  tryIt: {
    lead: "Two networks lie in this page: one reads handwritten digits, one names ten kinds of things in small photographs. Or bring one of your own. Nothing you show leaves your browser.",
    network: "Network",
    digits: "digits",
    cifar10: "small photographs",
    own: "a file of mine",
    weights: "Weights: any file that loadModel reads (Keras, PyTorch, TensorFlow, TFLite, ONNX, safetensors, …)",
    picture: "Picture",
    answer: "Answer",
    draw: "Draw one digit, or take a drawing that is there:",
    sheet: "Sheet to draw a digit on",
    clear: "Clear",
    readyDigit: (digit: string) => `Take the drawing of ${digit}`,
    photo: "Choose a photo",
    drop: "Or drop one here, or paste it.",
    examples: "Drawings that are there:",
    drawingOf: (name: string) => `Drawing: ${name}`,
    shown: "The picture that is shown to the network",
    camera: "Use the camera",
    take: "Take the picture",
    cameraRefused: "The camera was refused. Allow it in the browser's settings for this page, or choose a file.",
    cameraMissing: "There is no camera that this page may use. Choose a file instead.",
    nothing: "Nothing was asked yet.",
    took: (milliseconds: string) => `${milliseconds} ms for the network.`,
    by: (backend: string, simd: string, threads: string) => `Backend: ${backend}, SIMD: ${simd}, threads: ${threads}.`,
    description: "What is known of this network, and from where",
    inside: "Look inside",
    layer: "Layer",
    mapsOf: (shown: string, all: string, size: string) =>
      `Maps of this layer: ${shown} of ${all}, ${size} each; white is the largest number of a map.`,
    attention: "Where it looked",
    attentionOf: (label: string) => `White: what speaks for the answer “${label}” (class activation map).`,
  },
};

/** What every language has. */
export type Words = typeof en;
