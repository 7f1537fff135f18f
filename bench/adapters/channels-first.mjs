/** `[batch, height, width, channels]` turned to `[batch, channels, height, width]`, as ONNX wants it. */

export function channelsFirst({ data, shape: [batch, height, width, channels] }) {
  const pixels = height * width;
  const planes = new Float32Array(data.length);
  for (let image = 0; image < batch; image++) {
    const start = image * pixels * channels;
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        planes[start + channel * pixels + pixel] = data[start + pixel * channels + channel];
      }
    }
  }
  return { data: planes, shape: [batch, channels, height, width] };
}
