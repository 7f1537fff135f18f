/** What the drawings share: random numbers that are the same each time, gradients, and scattered strokes. */

/** Numbers from 0 to 1 by mulberry32, of a seed. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A gradient from above to below, or from left to right: `fill="url(#id)"`. */
export function gradient(id, colours, direction = "down") {
  const end = direction === "down" ? 'x2="0" y2="1"' : 'x2="1" y2="0"';
  const stops = colours.map((colour, at) => `<stop offset="${at / (colours.length - 1)}" stop-color="${colour}"/>`);
  return `<linearGradient id="${id}" x1="0" y1="0" ${end}>${stops.join("")}</linearGradient>`;
}

/** Edges as out of focus: `filter="url(#id)"`, by so many pixels. */
export function softness(id, pixels) {
  return `<filter id="${id}" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="${pixels}"/></filter>`;
}

/**
 * Short strokes at random places, as of leaves, grass or waves.
 *
 * @param area `[left, top, right, bottom]` in pixels
 * @param stroke `length` and `width` in pixels, `angle` in degrees from the horizontal; both vary by a half
 */
export function strokes(random, count, area, colours, { length, width, angle, opacity = 0.6 }) {
  const [left, top, right, bottom] = area;
  const lines = Array.from({ length: count }, () => {
    const x = left + random() * (right - left);
    const y = top + random() * (bottom - top);
    const turned = ((angle + (random() - 0.5) * 50) * Math.PI) / 180;
    const reach = length * (0.5 + random());
    const colour = colours[Math.floor(random() * colours.length)];
    const to = `${(reach * Math.cos(turned)).toFixed(2)} ${(-reach * Math.sin(turned)).toFixed(2)}`;
    return `<path d="M${x.toFixed(2)} ${y.toFixed(2)}l${to}" stroke="${colour}" stroke-width="${(width * (0.5 + random())).toFixed(2)}"/>`;
  });
  return `<g fill="none" stroke-linecap="round" opacity="${opacity}">${lines.join("")}</g>`;
}

/** Round spots at random places. */
export function spots(random, count, area, colours, { radius, opacity = 0.6 }) {
  const [left, top, right, bottom] = area;
  const circles = Array.from({ length: count }, () => {
    const x = (left + random() * (right - left)).toFixed(2);
    const y = (top + random() * (bottom - top)).toFixed(2);
    const colour = colours[Math.floor(random() * colours.length)];
    return `<circle cx="${x}" cy="${y}" r="${(radius * (0.5 + random())).toFixed(2)}" fill="${colour}"/>`;
  });
  return `<g opacity="${opacity}">${circles.join("")}</g>`;
}
