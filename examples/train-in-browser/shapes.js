/** Shapes as a hand draws them: strokes of points, and pictures of strokes. What is drawn and what is learnt from is made alike. */

export const CLASSES = ["circle", "triangle", "square", "star"];
/** Pixels of a side of a picture. */
export const SIDE = 28;
/** Pixels of the longer side of a shape. */
const SHAPE = 20;

const corners = (count, each = 1) =>
  Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * each * i) / count - Math.PI / 2;
    return [Math.cos(angle), Math.sin(angle)];
  });

/** Where the pen goes; it comes back to where it began. */
const OUTLINES = {
  circle: corners(20),
  triangle: corners(3),
  square: [
    [-0.75, -0.75],
    [0.75, -0.75],
    [0.75, 0.75],
    [-0.75, 0.75],
  ],
  star: corners(5, 2),
};

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function counted(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A shape with an unsteady hand: turned, stretched, its corners moved, its lines bent, its end not quite at its beginning. */
function drawn(name, random) {
  const about = (most) => most * (2 * random() - 1);
  const outline = OUTLINES[name];
  const turn = about(name === "square" || name === "triangle" ? 0.35 : Math.PI);
  const [cos, sin, wide, high] = [Math.cos(turn), Math.sin(turn), 1 + about(0.25), 1 + about(0.25)];
  const loose = name === "circle" ? 0.05 : 0.13;
  const points = outline.map(([x, y]) => {
    const [u, v] = [wide * (x + about(loose)), high * (y + about(loose))];
    return [u * cos - v * sin, u * sin + v * cos];
  });
  const start = Math.floor(random() * points.length);
  const stroke = [];
  for (let i = 0; i < points.length; i++) {
    const [from, to] = [points[(start + i) % points.length], points[(start + i + 1) % points.length]];
    const bend = about(name === "circle" ? 0.02 : 0.08);
    for (let step = 0; step < 4; step++) {
      const t = step / 4;
      const bow = 4 * bend * t * (1 - t);
      stroke.push([
        from[0] + t * (to[0] - from[0]) - bow * (to[1] - from[1]),
        from[1] + t * (to[1] - from[1]) + bow * (to[0] - from[0]),
      ]);
    }
  }
  const [x, y] = points[start];
  stroke.push([x + about(0.15), y + about(0.15)]);
  return [stroke];
}

/** Strokes of points as white lines on black, in the middle, as large as they may be: `SIDE` × `SIDE` bytes. */
export function pictureOf(strokes, pen = 1.2) {
  const all = strokes.flat();
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = SHAPE / Math.max(right - left, bottom - top, 1e-6);
  const place = ([x, y]) => [SIDE / 2 + scale * (x - (left + right) / 2), SIDE / 2 + scale * (y - (top + bottom) / 2)];
  const picture = new Uint8Array(SIDE * SIDE);
  for (const stroke of strokes) {
    const points = stroke.map(place);
    for (const [i, point] of points.entries()) line(picture, points[Math.max(0, i - 1)], point, pen);
  }
  return picture;
}

/** Each pixel is as white as it is near the line. */
function line(picture, [x0, y0], [x1, y1], pen) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const reach = pen + 1;
  for (let y = Math.max(0, Math.floor(Math.min(y0, y1) - reach)); y < Math.min(SIDE, Math.max(y0, y1) + reach); y++) {
    for (let x = Math.max(0, Math.floor(Math.min(x0, x1) - reach)); x < Math.min(SIDE, Math.max(x0, x1) + reach); x++) {
      const along = length === 0 ? 0 : ((x + 0.5 - x0) * (x1 - x0) + (y + 0.5 - y0) * (y1 - y0)) / length;
      const t = Math.min(1, Math.max(0, along));
      const distance = Math.hypot(x + 0.5 - x0 - t * (x1 - x0), y + 0.5 - y0 - t * (y1 - y0));
      const grey = 255 * Math.min(1, Math.max(0, pen + 0.5 - distance));
      picture[y * SIDE + x] = Math.max(picture[y * SIDE + x], grey);
    }
  }
}

/** Pictures of all classes in turn, and what they show: the same for the same seed. */
export function makeShapes(count, seed) {
  const random = counted(seed);
  const pictures = new Uint8Array(count * SIDE * SIDE);
  const labels = Array.from({ length: count }, (_, i) => i % CLASSES.length);
  for (const [i, label] of labels.entries()) {
    pictures.set(pictureOf(drawn(CLASSES[label], random), 0.8 + 0.8 * random()), i * SIDE * SIDE);
  }
  return { pictures, labels };
}
