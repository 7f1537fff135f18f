/** A lorry with a box, from before it. */

import { gradient, randomNumbers, softness, spots } from "./paint.mjs";

const random = randomNumbers(8);

const wheel = (x, y, width, height) =>
  `<ellipse cx="${x}" cy="${y}" rx="${width}" ry="${height}" fill="#141518"/><ellipse cx="${x + 0.1}" cy="${y}" rx="${width * 0.5}" ry="${height * 0.5}" fill="#8d9196"/>`;

export const truck = [
  "<defs>",
  gradient("sky", ["#a9c6df", "#d4e0e6"]),
  gradient("road", ["#8f8e8b", "#6f6e6d"]),
  gradient("box", ["#f2f3f2", "#d3d7d9"]),
  gradient("cab", ["#3f74b8", "#2a568f", "#1c3b66"]),
  gradient("glass", ["#7e93a3", "#27323d"]),
  softness("far", 0.7),
  softness("shade", 0.7),
  "</defs>",
  `<rect width="32" height="32" fill="url(#sky)"/>`,
  `<g filter="url(#far)"><path d="M-2 20V13L4 12 9 14 20 11 26 14 34 12V22H-2z" fill="#5c7050"/>`,
  spots(random, 40, [-1, 13, 33, 20], ["#46593c", "#74885f", "#364630"], { radius: 1.1, opacity: 0.8 }),
  "</g>",
  `<path d="M-1 20H33V33H-1z" fill="url(#road)"/><path d="M-1 19.7H33v.8H-1z" fill="#a7a59b"/>`,
  spots(random, 80, [0, 21, 32, 32], ["#5c5b5a", "#a2a09c"], { radius: 0.3, opacity: 0.5 }),
  `<path d="M2 26.4L11 28.8 31 25 30 22H4z" fill="#161617" opacity=".85" filter="url(#shade)"/>`,
  // The box: its side, its front above the cab, its lower edge.
  `<path d="M11.6 4.2L30.8 7.2V21.6L11.6 24z" fill="url(#box)"/><path d="M4.6 5.4L11.6 4.2V13H4.6z" fill="#b4bbc1"/>`,
  `<path d="M11.6 4.2L30.8 7.2v.7L11.6 5.2z" fill="#8f989f"/><path d="M11.6 22.8L30.8 20.8v1L11.6 24z" fill="#5b6167"/>`,
  `<path d="M14.6 11L27.6 11.8V14L14.6 13.8z" fill="#2f64a8" opacity=".85"/><path d="M14.6 15.2L23 15.3v1L14.6 16.4z" fill="#c0392f" opacity=".8"/>`,
  `<path d="M16.6 5.4V23.2M21.6 6V22.6M26.4 6.6V22" stroke="#c1c6c9" stroke-width=".25"/>`,
  `<path d="M13 24h17V22l-17 1.6z" fill="#26282b"/>`,
  // The cab.
  `<path d="M1.8 11.2L8.6 10.6V25.6L2 24.2z" fill="url(#cab)"/><path d="M8.6 10.6L12 11V25L8.6 25.6z" fill="#1d3f6e"/><path d="M1.8 11.2L4.6 9.8 12 10 12 11 8.6 10.6z" fill="#5c8dcb"/>`,
  `<path d="M2.2 12.4L8.2 12V16.6L2.4 16.4z" fill="url(#glass)"/><path d="M9.2 12.2L11.2 12.4V16.2L9.2 16.5z" fill="#2a3540"/><path d="M3 15.8L5 12.6" stroke="#dbe5ea" stroke-width=".6" opacity=".7"/>`,
  `<path d="M3.2 18L7.6 18.2V21L3.3 20.6z" fill="#20242a"/><path d="M3.3 18.9L7.6 19.1M3.3 19.8L7.6 20.1" stroke="#a9b0b6" stroke-width=".3"/>`,
  `<path d="M1.9 22L8.7 23V25.7L2 24.3z" fill="#c9ced1"/><ellipse cx="2.8" cy="21.6" rx=".6" ry=".6" fill="#fdf9e6"/><ellipse cx="7.9" cy="22.2" rx=".8" ry=".7" fill="#fdf9e6"/>`,
  `<path d="M1.6 13v3M9 13.2v3.2" stroke="#15171a" stroke-width=".7"/>`,
  wheel(10.6, 25.2, 1.5, 2.4),
  wheel(22.6, 23.7, 1.5, 2.1),
  wheel(26.2, 23.2, 1.4, 2),
].join("");
