/** A brown and white dog that sits in a meadow and looks at us. */

import { gradient, randomNumbers, softness, spots, strokes } from "./paint.mjs";

const random = randomNumbers(12);

export const dog = [
  "<defs>",
  gradient("meadow", ["#8aa05e", "#75904a", "#5b7638"]),
  gradient("fur", ["#b07a45", "#946236", "#6d4524"]),
  softness("far", 1),
  softness("fluff", 0.25),
  "</defs>",
  `<rect width="32" height="32" fill="url(#meadow)"/>`,
  `<g filter="url(#far)">`,
  spots(random, 40, [-1, -1, 33, 12], ["#4c6236", "#9fb274", "#3d522c"], { radius: 2, opacity: 0.7 }),
  "</g>",
  strokes(random, 120, [0, 13, 32, 34], ["#94ad5e", "#4e6a2f", "#a9b96f"], { length: 1.6, width: 0.4, angle: 90 }),
  `<g filter="url(#fluff)">`,
  `<path d="M7 33C6.4 26 8.4 21 12 18.6H20C24 21 26 26 25.4 33z" fill="url(#fur)"/>`,
  `<path d="M11.6 20H20.4C21.4 25 20.6 30 19.6 33H12.4C11.4 30 10.6 25 11.6 20z" fill="#efe9de"/>`,
  `<path d="M16 3.4C20.4 3.4 23.6 6.2 23.8 10.4 24 14 22 16.4 20.6 19 19.4 21.2 18 22 16 22 14 22 12.6 21.2 11.4 19 10 16.4 8 14 8.2 10.4 8.4 6.2 11.6 3.4 16 3.4z" fill="url(#fur)"/>`,
  // Hanging ears, the white blaze and muzzle.
  `<path d="M10.4 4.6C7 5 5 8.4 4.8 12.4 4.8 15.4 6 17.6 7.4 17.6 9 17 9.2 13 9.8 10zM21.6 4.6C25 5 27 8.4 27.2 12.4 27.2 15.4 26 17.6 24.6 17.6 23 17 22.8 13 22.2 10z" fill="#5a3719"/>`,
  `<path d="M15.2 3.8H16.8L17.4 11C19.6 12.6 20.4 15 20 17.6 19.4 20.6 18 21.8 16 21.8 14 21.8 12.6 20.6 12 17.6 11.6 15 12.4 12.6 14.6 11z" fill="#f1ebe0"/>`,
  "</g>",
  `<ellipse cx="12.4" cy="10.8" rx="1.15" ry="1.2" fill="#140d08"/><ellipse cx="19.6" cy="10.8" rx="1.15" ry="1.2" fill="#140d08"/><circle cx="12.7" cy="10.4" r=".35" fill="#fff"/><circle cx="19.9" cy="10.4" r=".35" fill="#fff"/>`,
  `<path d="M13.8 14.2C14.6 13.4 17.4 13.4 18.2 14.2 18.2 15.6 17 16.6 16 16.8 15 16.6 13.8 15.6 13.8 14.2z" fill="#16110e"/><path d="M16 16.8V18.2C15.2 19.2 14 19.2 13.2 18.6M16 18.2C16.8 19.2 18 19.2 18.8 18.6" stroke="#3a2a20" stroke-width=".5" fill="none"/>`,
  `<path d="M15 18.9H17L16.8 21C16.4 21.6 15.6 21.6 15.2 21z" fill="#d0736f"/>`,
].join("");
