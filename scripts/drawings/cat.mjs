/** A grey tabby cat that looks at us. */

import { gradient, randomNumbers, softness, strokes } from "./paint.mjs";

const random = randomNumbers(9);

export const cat = [
  "<defs>",
  gradient("wall", ["#b9a88f", "#a3917a", "#7d6a56"]),
  gradient("fur", ["#8d8579", "#7b7368", "#5c554c"]),
  gradient("chest", ["#d8d0c4", "#a89f92"]),
  softness("far", 0.8),
  softness("fluff", 0.25),
  "</defs>",
  `<rect width="32" height="32" fill="url(#wall)"/>`,
  `<path d="M0 23H32V32H0z" fill="#6b4f3a" filter="url(#far)"/><path d="M22 0H32V20H22z" fill="#8a7a66" filter="url(#far)"/>`,
  `<g filter="url(#fluff)">`,
  `<path d="M4 33C4 24 8 19 13 18H20C25 19.4 28.4 25 28.4 33z" fill="url(#fur)"/>`,
  `<path d="M11 20H21C22 25 20 30 16 33 12 30 10 25 11 20z" fill="url(#chest)"/>`,
  `<path d="M6.4 1.6L13 6 7 12zM25.6 1.6L19 6 25 12z" fill="#6b645a"/><path d="M7.8 4.2L11.4 6.8 8.2 10zM24.2 4.2L20.6 6.8 23.8 10z" fill="#c79a8c"/>`,
  `<path d="M16 4.6C21.4 4.6 25.8 8.6 26 13.4 26.2 18.2 21.4 21.8 16 21.8 10.6 21.8 5.8 18.2 6 13.4 6.2 8.6 10.6 4.6 16 4.6z" fill="url(#fur)"/>`,
  `<path d="M16 15C19 14.6 21.6 16.4 21 18.8 20.4 21 18 21.6 16 21.6 14 21.6 11.6 21 11 18.8 10.4 16.4 13 14.6 16 15z" fill="#d9d2c7"/>`,
  `<path d="M16 5v4M13.4 5.2L14 8.6M18.6 5.2L18 8.6M7 13.6l3 .6M25 13.6l-3 .6M7.6 16.4l3-.4M24.4 16.4l-3-.4" stroke="#3f3a33" stroke-width="1"/>`,
  strokes(random, 50, [6, 22, 27, 32], ["#3f3a33", "#9b9285"], { length: 2, width: 0.5, angle: 90, opacity: 0.5 }),
  "</g>",
  `<ellipse cx="11.7" cy="12.6" rx="2" ry="1.7" fill="#c2b24a"/><ellipse cx="20.3" cy="12.6" rx="2" ry="1.7" fill="#c2b24a"/><ellipse cx="11.8" cy="12.6" rx=".75" ry="1.5" fill="#0e0d0a"/><ellipse cx="20.2" cy="12.6" rx=".75" ry="1.5" fill="#0e0d0a"/>`,
  `<path d="M9.6 12C10.6 10.6 12.8 10.6 13.8 12.2M22.4 12C21.4 10.6 19.2 10.6 18.2 12.2" stroke="#211e1a" stroke-width=".5" fill="none"/>`,
  `<path d="M14.8 16H17.2L16 17.4z" fill="#b5716a"/><path d="M16 17.4V18.4M16 18.4C15.2 19.4 14 19.4 13.4 18.8M16 18.4C16.8 19.4 18 19.4 18.6 18.8" stroke="#4a4038" stroke-width=".4" fill="none"/>`,
  `<path d="M10.6 17.6L4 16.6M10.8 18.6L4.4 19.4M21.4 17.6L28 16.6M21.2 18.6L27.6 19.4" stroke="#efeae2" stroke-width=".25" opacity=".8"/>`,
].join("");
