/** A small bird on a branch, from the side. */

import { gradient, randomNumbers, softness, spots } from "./paint.mjs";

const random = randomNumbers(4);

export const bird = [
  "<defs>",
  gradient("leaves", ["#7f9a6a", "#93a878", "#6d875a"]),
  gradient("back", ["#6f6a60", "#57524a", "#3f3b36"]),
  gradient("breast", ["#d9793a", "#e0a06a", "#e9dcc8"]),
  softness("far", 1.6),
  softness("down", 0.15),
  "</defs>",
  `<rect width="32" height="32" fill="url(#leaves)"/>`,
  `<g filter="url(#far)">`,
  spots(random, 30, [-2, -2, 34, 34], ["#a9bb8a", "#5d774c", "#b9c79c", "#4f6a42"], { radius: 3, opacity: 0.7 }),
  "</g>",
  `<path d="M-1 26.8C8 25 18 25.6 33 23.2" stroke="#4b3a2a" stroke-width="2" fill="none"/><path d="M-1 26.2C8 24.4 18 25 33 22.6" stroke="#8a7358" stroke-width=".6" fill="none"/>`,
  `<g filter="url(#down)">`,
  `<path d="M9.8 18.6L1.8 24.4 3.4 25.6 12 21.6z" fill="#37332e"/>`,
  `<path d="M8.6 19C9.6 14 13.4 11.4 16.4 9.8 16.8 6.6 19 4.8 21.6 4.9 24.2 5 25.8 6.8 25.9 8.8 26 11 25.6 12 25.4 14 25 19 21.4 23.2 16.6 23.4 12.6 23.6 9.4 22 8.6 19z" fill="url(#back)"/>`,
  `<path d="M25.9 9C26 11 25.6 12 25.4 14 25 19 21.4 23.2 16.6 23.4 15.4 23.4 14.6 23.2 14 23 17.6 20.6 19 17.4 19.4 14 19.8 11 21.4 9.4 23.4 8.2z" fill="url(#breast)"/>`,
  `<path d="M8.6 19.4C10.6 15.4 14.4 13.2 17.6 13.4 18.6 16 17 19 13.6 20.6 11.6 21.4 9.4 21.6 7.4 22.4z" fill="#4a463f"/><path d="M9.6 19.6L16.6 16.4M10.4 20.9L16 18.4" stroke="#8f897d" stroke-width=".5"/>`,
  `<path d="M25.6 7.4L29 8.4 25.8 9.4z" fill="#2a2520"/><circle cx="23" cy="7.6" r=".85" fill="#0c0a08"/><circle cx="23.2" cy="7.3" r=".28" fill="#fff"/>`,
  `<path d="M17.4 23.2L17 25.6M19.2 22.8L19.4 25.2" stroke="#5b4433" stroke-width=".7"/>`,
  "</g>",
].join("");
