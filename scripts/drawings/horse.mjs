/** A brown horse in a meadow, from the side. */

import { gradient, randomNumbers, softness, spots, strokes } from "./paint.mjs";

const random = randomNumbers(2);

export const horse = [
  "<defs>",
  gradient("meadow", ["#7f9a4e", "#6c8a3f", "#587535"]),
  gradient("coat", ["#9a5a30", "#7a4222", "#4a2613"]),
  softness("far", 0.8),
  softness("shade", 0.6),
  softness("hair", 0.12),
  "</defs>",
  `<rect width="32" height="32" fill="#c3d0d6"/>`,
  `<g filter="url(#far)"><rect x="-3" y="3" width="38" height="12" fill="#3c5230"/>`,
  spots(random, 70, [-1, 1.5, 33, 12], ["#2a3b23", "#52693d", "#1f2d1b", "#6a7f4c"], { radius: 1.5, opacity: 0.8 }),
  "</g>",
  `<rect y="14" width="32" height="18" fill="url(#meadow)"/>`,
  strokes(random, 150, [0, 14.5, 32, 33], ["#8fab5a", "#4e6a2c", "#a5b96b", "#5f7d38"], {
    length: 1.4,
    width: 0.4,
    angle: 90,
    opacity: 0.6,
  }),
  `<ellipse cx="15" cy="28.4" rx="10" ry="1.3" fill="#26341a" opacity=".8" filter="url(#shade)"/>`,
  `<g filter="url(#hair)" stroke-linejoin="round">`,
  `<path d="M6.6 12C4 12.6 3.2 16 3.4 22.4 4.4 21 5.6 17.6 6.8 15.6z" fill="#1d110a"/>`,
  // The two legs of the far side, darker.
  `<path d="M9.4 17.4C10.4 20 10.4 21.6 10 23.6L10.6 28.2H12.2L12 23.6 13 18z" fill="#3f2011"/><path d="M19 18.6L18.8 23.4 19.2 28.2H20.8L20.6 23.4 21.6 18z" fill="#3f2011"/>`,
  // Body, neck and head in one line.
  `<path d="M6 14.4C6.2 11.6 8.6 10.6 11.4 11 14.4 11.6 17 11.4 18.8 10.6 20.6 9 22 6.4 23.8 4.6L24.2 3 25.2 4.2C26.6 4.8 27.6 6.6 29.6 9.2 29.8 10.4 28.8 11 27.8 10.6 26.6 10 25.6 9.6 24.8 9.4 24.6 11.4 24 13.8 23.2 15.6 22.4 18 20.6 19.2 18.4 19 15.4 18.8 13 19.2 11 18.6 8 18.4 5.8 17 6 14.4z" fill="url(#coat)"/>`,
  // The legs of the near side.
  `<path d="M6.2 14.6C5.8 17.6 7.6 19.6 7.4 21.2 6.8 22.4 6.4 23 6.6 24L6.8 28.4H8.6L8.4 24.2C9.4 22.2 10.6 20.6 11.6 18.4z" fill="#70391c"/>`,
  `<path d="M20 18C20.8 20 21.2 21.8 21.2 23.6L21.4 28.4H23.1L23 23.6C23.2 21 23.6 18 23.4 15.4z" fill="#70391c"/>`,
  `<path d="M6.6 26L8.5 26V28.4H6.7zM21.3 26L23.1 26V28.4H21.4zM10.3 26.4L12.1 26.4V28.2H10.6zM19 26.4L20.7 26.4V28.2H19.2z" fill="#1c120c"/>`,
  // Mane, light on the back, eye, blaze.
  `<path d="M24.2 3.6C22.2 5 20.4 7.6 18.2 10.8 20 11.4 21.4 9.8 22.6 7.8 23.6 6.4 24.2 5.2 24.6 4.4z" fill="#1d110a"/>`,
  `<path d="M8 12.1C11 12 15 12.9 18.6 12" stroke="#c98a5a" stroke-width=".9" fill="none" opacity=".8"/><path d="M8 15C8 13.6 9 13 10 13" stroke="#b87848" stroke-width=".9" fill="none" opacity=".7"/>`,
  `<circle cx="25.8" cy="6.4" r=".4" fill="#0d0805"/><path d="M27 6.2L29 8.8" stroke="#e6dccb" stroke-width=".5"/><path d="M28.8 9.2l.8.6-.6 1-1-.4z" fill="#3a2015"/>`,
  "</g>",
].join("");
