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
  percent: (value: string) => `${value} %`,
  loading: "Loading …",
  source: "Everything on this page is computed here, by the library depthwise; nothing leaves your browser.",
  close: "Close",
  retry: "Try again",
  faults: {
    UNKNOWN: "That did not work.",
    WORKER_LOST: "What computes here has stopped. Ask again, and it is started anew; what it was taught is lost.",
    NOT_OPEN: "No network is open. Choose one.",
    PART_MISSING: "A part of this page could not be loaded. Is there a connection?",
    CAMERA_REFUSED: "The camera was refused. Allow it in the browser's settings for this page, or choose a file.",
    CAMERA_MISSING: "There is no camera that this page may use. Choose a file instead.",
    IMAGE_UNREADABLE: "This file is no picture that can be read here.",
    IMAGE_TOO_LARGE: "This picture is too large.",
    FILE_EMPTY: "The file is empty.",
    FILE_CORRUPT: "The file is damaged.",
    FILE_TRUNCATED: "The file ends too early.",
    FORMAT_UNKNOWN: "This file holds no weights in a format that is known here.",
    ARCHITECTURE_UNKNOWN: "This file holds weights, but of a network that is not known here.",
    MEMORY_EXCEEDED: "That takes more memory than there is.",
  },
  questions: {
    title: "Ten questions",
    list: {
      mixing: {
        ask: "Why does depthwise alone not mix channels?",
        answer:
          "Each depthwise filter reads one channel. Here the pointwise step is left out and input channel 1 has been changed: below, channel 1 alone is another (green). Switch the pointwise step on, and every output changes.",
      },
      separable: {
        ask: "Depthwise, or depthwise separable?",
        answer:
          "Depthwise is the first half: one filter a channel. Depthwise separable is both halves: depthwise, then a 1×1 convolution that mixes the channels. Above this stands the first half, below it the second.",
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
        answer: "M channels go in, N come out. Here M is 3 and N is 5: count the grids above and below.",
      },
      ratio: {
        ask: "Why 1/N + 1/D_K², and why does N soon stop mattering?",
        answer:
          "Divide the pair's count by the standard one: M and D_F² cancel. The pointwise part is 1/D_K² of the standard count, the depthwise part 1/N. With a 3×3 kernel 1/9 stays, however large N is; from N = 64 on, 1/N is a seventh of that and less: see the small table below.",
      },
      speed: {
        ask: "Nine times fewer operations, so why not nine times faster?",
        answer:
          "A depthwise convolution reads about as much memory as a standard one for a small part of its work, so that memory holds it up sooner. How far that shows depends on the sizes and on how well both are computed: measure both networks here, and compare their shares of the limit, and the operations that each layer does for a byte.",
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
          "There is one more map in all, the one between the two halves: all layers' activations together are more, and training keeps them all. What a run needs at once is the same. Compare both rows below, for both networks.",
      },
    },
  },
  why: {
    lead: "A convolution can be split in two: one filter for each channel, then a 1×1 convolution that mixes the channels. Both routes below make the same output, number for number (the standard kernels here are products of the other two; not every one is). Step through them and count.",
    settings: "Sizes",
    kernelSize: "Side of the kernel",
    inputChannels: "Input channels",
    filters: "Output channels",
    size: "Side of the input",
    outputSide: (side: string) => `Side of the output: D_F = ${side}`,
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
    pace: "Pace",
    paces: { slow: "slow", usual: "medium", fast: "fast" },
    standard: "Standard convolution",
    pair: "Depthwise separable convolution",
    depthwiseStep: "1. Depthwise: one filter a channel",
    pointwiseStep: "2. Pointwise: 1×1, mixes the channels",
    alone: "Depthwise convolution alone",
    input: (channel: string) => `input, channel ${channel}`,
    kernelOf: (channel: string, filter: string) => `kernel for output ${filter}, channel ${channel}`,
    depthwiseKernel: (channel: string) => `kernel of channel ${channel}`,
    between: (channel: string) => `depthwise, channel ${channel}`,
    pointwiseKernel: (filter: string) => `1×1 kernel for output ${filter}`,
    output: (channel: string) => `output, channel ${channel}`,
    cell: (row: string, column: string, filter: string) =>
      `Output cell: row ${row}, column ${column}, channel ${filter}`,
    product: (value: string, weight: string, product: string, sum: string) =>
      `${value} × ${weight} = ${product}; sum so far ${sum}`,
    notYet: "Nothing multiplied yet in this cell.",
    finished: (value: string) => `Done: ${value}.`,
    waits: (value: string) => `Done: ${value}. It waits for the other route.`,
    doneHere: "Done at this place.",
    already: "The depthwise step of this place is made already, and serves all output channels.",
    made: (count: string, all: string) => `${count} of ${all} multiplications`,
    ofAll: (count: string, all: string) => `${count} of ${all}`,
    ratio: "Ratio",
    inAll: (sum: string) => `In all ${sum}.`,
    soFar: (sum: string) => `So far ${sum}.`,
    multiplied: (multiplier: string) =>
      `is the depth multiplier, ${multiplier}: the pair costs that many times as much.`,
    mixing: "Pointwise step",
    mixingOn: "on: channels are mixed",
    mixingOff: "off: depthwise alone",
    change: "Change an input channel",
    changeNone: "none",
    channel: (channel: string) => `channel ${channel}`,
    changedSentence: (input: string, outputs: string) =>
      `Other numbers in the input: ${input}; in the output: ${outputs}.`,
    legend: "The blue frame is the window, the orange cell is being multiplied.",
  },
  asTable: "As a table",
};

/** What every language has. */
export type Words = typeof en;
