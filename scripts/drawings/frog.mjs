/** A frog on the ground, from the side. */

import { gradient, randomNumbers, softness, spots, strokes } from "./paint.mjs";

const random = randomNumbers(11);

export const frog = [
  "<defs>",
  gradient("ground", ["#4d3f2e", "#6a563e", "#7c674b"]),
  gradient("back", ["#8d9a4a", "#6d7a34", "#4c5526"]),
  gradient("belly", ["#b9b48a", "#8d8759"]),
  softness("far", 0.5),
  softness("shade", 0.8),
  softness("skin", 0.15),
  "</defs>",
  `<rect width="32" height="32" fill="url(#ground)"/>`,
  `<g filter="url(#far)">`,
  strokes(random, 110, [-1, 0, 33, 33], ["#3a2e20", "#8f7855", "#5a4a33", "#a38c66", "#4a5130"], {
    length: 3,
    width: 0.9,
    angle: 20,
    opacity: 0.7,
  }),
  "</g>",
  `<ellipse cx="15.5" cy="26" rx="13" ry="2.6" fill="#1c150d" opacity=".75" filter="url(#shade)"/>`,
  `<g filter="url(#skin)">`,
  // Back and head in one line, then the throat.
  `<path d="M4.4 23C5 17 9.4 11.4 15.4 9.2 17.6 8.2 19 7.8 20 8 21.4 6.4 24 6.6 24.6 8.8 27.4 10.2 29.2 12 29 13.4 28.6 15.4 25.6 16.6 23.4 18.4 22.4 22 19.4 25 14.4 25.4 9.4 25.8 5.4 25 4.4 23z" fill="url(#back)"/>`,
  `<path d="M29 13.6C28.4 15.4 25.6 16.6 23.6 18.2 22.8 21.4 20.6 24 17.6 25 17 21 18.6 17 22 14.8z" fill="url(#belly)"/>`,
  spots(random, 26, [8, 11, 21, 20], ["#3b4420", "#2e3619", "#a9b265"], { radius: 0.75, opacity: 0.75 }),
  `<path d="M21.4 14.6C24 14.6 27 14.4 29 13.4" stroke="#2d3317" stroke-width=".6" fill="none"/>`,
  `<path d="M9.4 15C12 11.6 16 10 20 9.6" stroke="#bcc47a" stroke-width=".7" fill="none" opacity=".8"/>`,
  // The folded hind leg: thigh, shank, foot.
  `<path d="M3.4 23.6C3 19.4 6.6 16.6 10.4 17.2 14 17.8 15.4 20.6 14 23.2 12.6 25.6 4 26.4 3.4 23.6z" fill="#7c893d"/><path d="M4.6 21C6 18.4 8.6 17.6 11 18.2" stroke="#b6be74" stroke-width=".8" fill="none"/>`,
  `<path d="M13.6 21.4C11 24 8 25 4.2 25.4L12.4 27.2" fill="none" stroke="#5a652c" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/>`,
  `<path d="M7 19.6l2 .4M10.4 19.4l1.8 1.2M6 22.2l2.6.2" stroke="#39421d" stroke-width=".9"/>`,
  // The fore leg.
  `<path d="M20.6 19.6C21.6 22 21.4 24.2 20.8 26.2" fill="none" stroke="#717e38" stroke-width="2.2" stroke-linecap="round"/><path d="M20.6 26.4l3.4.8M20.6 26.4l2 1.4M20.6 26.4l-1.6 1" stroke="#717e38" stroke-width=".8" stroke-linecap="round"/>`,
  `<circle cx="22" cy="9.4" r="2.1" fill="#a39a45"/><circle cx="22.2" cy="9.4" r="1.45" fill="#d9a936"/><ellipse cx="22.3" cy="9.4" rx="1" ry=".8" fill="#0d0d0a"/><circle cx="21.8" cy="8.9" r=".32" fill="#fff"/>`,
  `<ellipse cx="18.6" cy="13" rx="1.2" ry="1.3" fill="#8a7a3a"/><ellipse cx="18.6" cy="13" rx=".6" ry=".7" fill="#57491f"/>`,
  "</g>",
].join("");
