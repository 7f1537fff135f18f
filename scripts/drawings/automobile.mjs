/** A red car at the side of a road, from before it. */

import { gradient, randomNumbers, softness, spots } from "./paint.mjs";

const random = randomNumbers(5);

const wheel = (x, y, width, height) =>
  `<ellipse cx="${x}" cy="${y}" rx="${width}" ry="${height}" fill="#15161a"/><ellipse cx="${x + 0.15}" cy="${y}" rx="${width * 0.58}" ry="${height * 0.6}" fill="#b9bec4"/><ellipse cx="${x + 0.15}" cy="${y}" rx="${width * 0.2}" ry="${height * 0.22}" fill="#4a4f56"/>`;

export const automobile = [
  "<defs>",
  gradient("sky", ["#c9d6df", "#e3e6e4"]),
  gradient("road", ["#a09d97", "#85827d", "#6e6c69"]),
  gradient("side", ["#d9352f", "#b81f20", "#6f1215"]),
  gradient("front", ["#c92b28", "#8e171a"]),
  gradient("bonnet", ["#ee6a5c", "#d43a33"]),
  gradient("glass", ["#8fa3b3", "#35414e"]),
  softness("far", 0.8),
  softness("shade", 0.7),
  "</defs>",
  `<rect width="32" height="32" fill="url(#sky)"/>`,
  `<g filter="url(#far)"><rect x="-3" y="5.5" width="38" height="12" fill="#51683f"/>`,
  spots(random, 70, [-1, 3.5, 33, 14], ["#3c5230", "#6d8450", "#2c3d25", "#8a9c68"], { radius: 1.3, opacity: 0.8 }),
  "</g>",
  `<path d="M-1 15.5H33V33H-1z" fill="url(#road)"/><path d="M-1 15.2H33v1.3H-1z" fill="#b9b6ae"/>`,
  spots(random, 90, [0, 17, 32, 32], ["#5f5d5a", "#b1aea8", "#777570"], { radius: 0.3, opacity: 0.5 }),
  `<path d="M2 25.2L12 27.6 30.6 24.4 30 22 4 22z" fill="#1d1c1d" opacity=".85" filter="url(#shade)"/>`,
  // The far front wheel, then body: front, side, bonnet, cabin.
  `<ellipse cx="3.7" cy="23.6" rx="1.2" ry="2" fill="#131417"/>`,
  `<path d="M1.4 17.8C1.6 16.8 3.2 16.4 4.2 16.4L10.4 17.6 11 25.2 2.4 23.3C1.5 21.8 1.2 19.8 1.4 17.8z" fill="url(#front)"/>`,
  `<path d="M10.4 17.6C11.8 16 14.6 15.2 17 15L26.6 13.9C28.8 13.6 30.4 13.9 31 14.6 31.6 16 31.6 18.6 31 20.8L29 22.3 11 25.2z" fill="url(#side)"/>`,
  `<path d="M3.2 16.6C5.6 15.3 8.8 14.6 11.8 14.4L18.6 14.9C15.4 15.2 12.2 16.2 10.4 17.7z" fill="url(#bonnet)"/>`,
  `<path d="M11.4 14.5C13 12 14.8 10.4 16.4 9.9 19 9.2 22.2 9.2 24 9.9 25.8 10.8 27.4 12.2 28.6 13.8L18.4 15.2z" fill="#b92625"/>`,
  `<path d="M16.4 9.9C19 9.2 22.2 9.2 24 9.9L23.2 10.4 19.8 10.6z" fill="#f0857a"/>`,
  `<path d="M12.2 14.4C13.4 12.5 14.8 11 16.2 10.4L19.3 10.8C18.4 12 17.7 13.4 17.3 14.9z" fill="url(#glass)"/>`,
  `<path d="M18.4 14.8C18.9 13.2 19.6 11.8 20.3 11L22.2 10.8 22.8 14.2z" fill="url(#glass)"/><path d="M23.4 14.1L22.8 10.8 23.9 10.7C25.2 11.5 26.4 12.6 27.2 13.6z" fill="#2c3743"/>`,
  `<path d="M13 13.8L15.6 11.1" stroke="#dfe7ec" stroke-width=".5" opacity=".8"/>`,
  `<path d="M11.8 17.8C16 16.6 22 16 31 15.6" stroke="#f08a80" stroke-width=".5" fill="none" opacity=".9"/>`,
  `<path d="M17.6 15.4l.5 8.2M23.2 14.8l.3 7.8" stroke="#6d1215" stroke-width=".3"/><path d="M30.6 15.6l.7 0v2l-.7.1z" fill="#f2a24a"/>`,
  // Lamps, grille, bumper, plate.
  `<ellipse cx="2.5" cy="18.6" rx=".8" ry=".9" fill="#f4f2e6"/><ellipse cx="8.7" cy="19.8" rx="1.3" ry="1" fill="#fbf9ee"/>`,
  `<path d="M3.7 18.8L7 19.4v1.5L3.7 20.3z" fill="#1d1e22"/><path d="M1.8 21.3L10.8 23.2v1L2 22.2z" fill="#3a1113"/><path d="M4.4 21.4l2.4.5v1l-2.4-.5z" fill="#e9e8e2"/>`,
  wheel(13.8, 23.9, 2, 2.6),
  wheel(27.4, 22, 1.8, 2.4),
].join("");
