/** A stag in tall grass before a wood, from the side. */

import { gradient, randomNumbers, softness, spots, strokes } from "./paint.mjs";

const random = randomNumbers(6);

export const deer = [
  "<defs>",
  gradient("meadow", ["#8d8a4c", "#77793f", "#5c6233"]),
  gradient("coat", ["#a8764a", "#8d5f39", "#5d3d24"]),
  softness("far", 0.7),
  softness("shade", 0.6),
  softness("hair", 0.12),
  "</defs>",
  `<rect width="32" height="32" fill="#55613f"/>`,
  `<g filter="url(#far)">`,
  spots(random, 80, [-1, -1, 33, 13], ["#39452c", "#66734a", "#2b3623", "#7d8858"], { radius: 1.5, opacity: 0.8 }),
  strokes(random, 14, [0, 8, 32, 14], ["#2a2a1c", "#3b3726"], { length: 10, width: 0.9, angle: 90, opacity: 0.6 }),
  "</g>",
  `<rect y="14" width="32" height="18" fill="url(#meadow)"/>`,
  strokes(random, 170, [0, 14.5, 32, 34], ["#a8a562", "#4f5a2b", "#bdb676", "#6b7339"], {
    length: 2.2,
    width: 0.4,
    angle: 90,
    opacity: 0.6,
  }),
  `<ellipse cx="14" cy="28.6" rx="9" ry="1.1" fill="#2b3019" opacity=".8" filter="url(#shade)"/>`,
  `<g filter="url(#hair)" stroke-linejoin="round">`,
  `<path d="M9.4 18L10.4 23.4 10.4 28.2H11.4L11.5 23.4 12.6 18zM18.4 18.6L18.6 23.4 18.9 28.2H19.9L20 23.4 21 18z" fill="#4d321d"/>`,
  `<path d="M5.8 15C6 12.6 8.4 12 11 12.2 14 12.6 17 12.4 18.6 11.8 20 10.6 20.8 8.8 21.6 7.4L20.4 6.2C21.4 6 22.4 6.2 23 6.4L24 5.8 24.2 6.8C25.4 7.4 26.6 8.4 27.8 9.4 27.8 10.4 27 10.8 26 10.5L23.8 10.2C23.4 12.6 23.2 14.6 22.6 16.2 21.8 18.2 20 18.9 18 18.7 15 18.4 12.6 18.8 10.6 18.4 7.6 18 5.6 17 5.8 15z" fill="url(#coat)"/>`,
  `<path d="M5.8 14.6C5 15.6 5 17 5.6 18.2 6.6 17.4 6.8 16 6.6 14.8z" fill="#e8dcc6"/>`,
  `<path d="M6 15C5.8 17.6 7.4 19.2 7.3 20.8L6.7 23.6 6.9 28.4H8L8.2 24C9 22 10 20.4 11 18.2zM19.8 18C20.6 20 20.9 21.6 20.9 23.6L21.1 28.4H22.2L22.2 23.6C22.6 21 22.9 18.4 22.7 15.6z" fill="#84572f"/>`,
  `<path d="M12 18.2C14 18 16.4 18 18 18.4" stroke="#cfae86" stroke-width=".7" fill="none"/><path d="M21.6 11.6C21.8 13.4 21.4 15 20.8 16.2" stroke="#d2b48d" stroke-width=".9" fill="none" opacity=".8"/>`,
  `<path d="M8 13.2C11 13 15 13.8 18.6 12.8" stroke="#c99a6a" stroke-width=".7" fill="none" opacity=".8"/>`,
  `<circle cx="24.2" cy="7.8" r=".38" fill="#120b06"/><path d="M27.2 9.2l.7.5-.5.7-.8-.3z" fill="#1d120b"/>`,
  // Antlers: two stems with three tines each.
  `<g fill="none" stroke="#d9c6a2" stroke-width=".65" stroke-linecap="round"><path d="M22 6.2C20.4 4.6 19.6 2.8 20 .8M20.9 4.8L23 3.6M20 3L18 2M19.9 1.6L21.4.6"/><path d="M23.2 6C24.2 4.6 25.8 3.4 26.4 1.2M24.2 4.7L26.8 4.6M25.4 3.4L24.4 1.8M26.2 2L28 1.6"/></g>`,
  "</g>",
].join("");
