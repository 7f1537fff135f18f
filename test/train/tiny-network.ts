/**
 * The network of the golden runs in float64, forward and backward by plain loops: convolution of stride 2, batch norm,
 * relu6, depthwise, batch norm, relu6, pointwise, batch norm, relu6, pool, dense. It shares no code with `src`.
 */

export type Tensors = Map<string, Float64Array>;

export interface TinyOptions {
  /** Batch norm by moving statistics, which stay as they are. */
  readonly frozen: boolean;
  readonly labelSmoothing: number;
}

interface Pass {
  readonly loss: number;
  readonly logits: Float64Array;
  readonly gradients: Tensors;
}

const EPSILON = 1e-3;
const MOMENTUM = 0.9;
const CLASSES = 5;

/** A convolution 3×3 or 1×1, "same", NHWC. Depthwise: `outChannels` 0. */
interface Layer {
  readonly name: string;
  readonly kernel: string;
  readonly size: number;
  readonly stride: number;
  readonly inChannels: number;
  readonly outChannels: number;
}

const LAYERS: readonly Layer[] = [
  { name: "conv", kernel: "conv/kernel", size: 3, stride: 2, inChannels: 3, outChannels: 8 },
  { name: "dw", kernel: "dw/depthwise_kernel", size: 3, stride: 1, inChannels: 8, outChannels: 0 },
  { name: "pw", kernel: "pw/kernel", size: 1, stride: 1, inChannels: 8, outChannels: 16 },
];

/** Calls `body(input pixel, output pixel, tap)` for each tap that lies on the image. */
function overTaps(
  batch: number,
  side: number,
  { size, stride }: Layer,
  body: (x: number, y: number, tap: number) => void,
) {
  const out = Math.ceil(side / stride);
  const before = Math.floor(Math.max((out - 1) * stride + size - side, 0) / 2);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < out * out; y++) {
      for (let tap = 0; tap < size * size; tap++) {
        const row = Math.floor(y / out) * stride - before + Math.floor(tap / size);
        const column = (y % out) * stride - before + (tap % size);
        if (row < 0 || row >= side || column < 0 || column >= side) continue;
        body((n * side + row) * side + column, n * out * out + y, tap);
      }
    }
  }
}

/** Calls `body(index in x, index in y, index in the kernel)` for each product of a layer. */
function overProducts(batch: number, side: number, layer: Layer, body: (x: number, y: number, w: number) => void) {
  const { inChannels, outChannels } = layer;
  overTaps(batch, side, layer, (x, y, tap) => {
    for (let i = 0; i < inChannels; i++) {
      if (outChannels === 0) body(x * inChannels + i, y * inChannels + i, tap * inChannels + i);
      for (let o = 0; o < outChannels; o++) {
        body(x * inChannels + i, y * outChannels + o, (tap * inChannels + i) * outChannels + o);
      }
    }
  });
}

/**
 * Loss and gradients of a batch of square images. The moving statistics in `moving` move, unless they are frozen.
 */
export function tinyPass(
  parameters: Tensors,
  moving: Tensors,
  images: ArrayLike<number>,
  labels: readonly number[],
  { frozen, labelSmoothing }: TinyOptions,
): Pass {
  const batch = labels.length;
  const gradients: Tensors = new Map();
  const back: ((dy: Float64Array) => Float64Array)[] = [];
  let x = Float64Array.from(images);
  let side = Math.sqrt(x.length / batch / 3);
  for (const layer of LAYERS) {
    const channels = layer.outChannels || layer.inChannels;
    const input = x;
    const inputSide = side;
    const w = parameters.get(layer.kernel)!;
    side = Math.ceil(side / layer.stride);
    const z = new Float64Array(batch * side * side * channels);
    overProducts(batch, inputSide, layer, (i, o, k) => {
      z[o]! += input[i]! * w[k]!;
    });
    const norm = normalise(z, channels, `${layer.name}_bn`, parameters, moving, frozen, gradients);
    x = norm.y.map((value) => Math.min(Math.max(value, 0), 6));
    back.push((dy) => {
      const dz = norm.back(dy.map((value, i) => (norm.y[i]! > 0 && norm.y[i]! < 6 ? value : 0)));
      const dx = new Float64Array(input.length);
      const dw = new Float64Array(w.length);
      overProducts(batch, inputSide, layer, (i, o, k) => {
        dx[i]! += dz[o]! * w[k]!;
        dw[k]! += dz[o]! * input[i]!;
      });
      gradients.set(layer.kernel, dw);
      return dx;
    });
  }
  const channels = x.length / batch / side / side;
  const area = side * side;
  const pooled = new Float64Array(batch * channels);
  for (let i = 0; i < x.length; i++)
    pooled[Math.floor(i / area / channels) * channels + (i % channels)]! += x[i]! / area;
  const kernel = parameters.get("dense/kernel")!;
  const bias = parameters.get("dense/bias")!;
  const logits = new Float64Array(batch * CLASSES);
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < CLASSES; k++) {
      let sum = bias[k]!;
      for (let c = 0; c < channels; c++) sum += pooled[n * channels + c]! * kernel[c * CLASSES + k]!;
      logits[n * CLASSES + k] = sum;
    }
  }
  const { loss, dlogits } = crossEntropy(logits, labels, labelSmoothing);
  const dkernel = new Float64Array(kernel.length);
  const dbias = new Float64Array(CLASSES);
  const dpooled = new Float64Array(pooled.length);
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < CLASSES; k++) {
      const d = dlogits[n * CLASSES + k]!;
      dbias[k]! += d;
      for (let c = 0; c < channels; c++) {
        dkernel[c * CLASSES + k]! += d * pooled[n * channels + c]!;
        dpooled[n * channels + c]! += d * kernel[c * CLASSES + k]!;
      }
    }
  }
  gradients.set("dense/kernel", dkernel).set("dense/bias", dbias);
  let dy = x.map((_, i) => dpooled[Math.floor(i / area / channels) * channels + (i % channels)]! / area);
  for (const step of back.reverse()) dy = step(dy) as typeof dy;
  return { loss, logits, gradients };
}

function normalise(
  z: Float64Array,
  channels: number,
  name: string,
  parameters: Tensors,
  moving: Tensors,
  frozen: boolean,
  gradients: Tensors,
) {
  const n = z.length / channels;
  const gamma = parameters.get(`${name}/gamma`)!;
  const beta = parameters.get(`${name}/beta`)!;
  const movingMean = moving.get(`${name}/moving_mean`)!;
  const movingVariance = moving.get(`${name}/moving_variance`)!;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < z.length; i++) mean[i % channels]! += z[i]! / n;
  for (let i = 0; i < z.length; i++) variance[i % channels]! += (z[i]! - mean[i % channels]!) ** 2 / n;
  for (let c = 0; c < channels; c++) {
    if (frozen) {
      mean[c] = movingMean[c]!;
      variance[c] = movingVariance[c]!;
    } else {
      movingMean[c] = MOMENTUM * movingMean[c]! + (1 - MOMENTUM) * mean[c]!;
      movingVariance[c] = MOMENTUM * movingVariance[c]! + (1 - MOMENTUM) * variance[c]!;
    }
  }
  const deviation = variance.map((value) => Math.sqrt(value + EPSILON));
  const hat = z.map((value, i) => (value - mean[i % channels]!) / deviation[i % channels]!);
  return {
    y: hat.map((value, i) => gamma[i % channels]! * value + beta[i % channels]!),
    back(dy: Float64Array): Float64Array {
      const dgamma = new Float64Array(channels);
      const dbeta = new Float64Array(channels);
      for (let i = 0; i < z.length; i++) {
        dgamma[i % channels]! += dy[i]! * hat[i]!;
        dbeta[i % channels]! += dy[i]!;
      }
      gradients.set(`${name}/gamma`, dgamma).set(`${name}/beta`, dbeta);
      return dy.map((value, i) => {
        const c = i % channels;
        const through = frozen ? 0 : (dbeta[c]! + hat[i]! * dgamma[c]!) / n;
        return (gamma[c]! / deviation[c]!) * (value - through);
      });
    },
  };
}

function crossEntropy(logits: Float64Array, labels: readonly number[], smoothing: number) {
  const dlogits = new Float64Array(logits.length);
  let loss = 0;
  for (const [n, label] of labels.entries()) {
    const row = logits.subarray(n * CLASSES, (n + 1) * CLASSES);
    const most = Math.max(...row);
    const total = row.reduce((sum, value) => sum + Math.exp(value - most), 0);
    for (let k = 0; k < CLASSES; k++) {
      const target = (k === label ? 1 - smoothing : 0) + smoothing / CLASSES;
      loss -= (target * (row[k]! - most - Math.log(total))) / labels.length;
      dlogits[n * CLASSES + k] = (Math.exp(row[k]! - most) / total - target) / labels.length;
    }
  }
  return { loss, dlogits };
}
