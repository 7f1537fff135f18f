/** A freighter on a calm sea. */

import { gradient, randomNumbers, softness, strokes } from "./paint.mjs";

const random = randomNumbers(3);

export const ship = [
  "<defs>",
  gradient("sky", ["#7fa9cf", "#b4cde0", "#dde5e8"]),
  gradient("sea", ["#6d94ad", "#3c6a8c", "#254c6c"]),
  gradient("hull", ["#2b3a5c", "#1a2440", "#121a2e"]),
  gradient("house", ["#f4f4ef", "#d9dcdc"]),
  softness("haze", 0.9),
  softness("foam", 0.35),
  "</defs>",
  `<rect width="32" height="19" fill="url(#sky)"/>`,
  `<g fill="#eef2f3" opacity=".7" filter="url(#haze)"><ellipse cx="24" cy="6" rx="6" ry="1.3"/><ellipse cx="8" cy="3" rx="7" ry="1.1"/></g>`,
  `<path d="M0 18.2L5 17.4 10 17.9 32 17.6V19H0z" fill="#8ea3ac" opacity=".7"/>`,
  `<rect y="18.3" width="32" height="14" fill="url(#sea)"/>`,
  strokes(random, 60, [-1, 19, 32, 32], ["#9bbccf", "#5f8ba8", "#1f4360", "#c2d6df"], {
    length: 2.6,
    width: 0.35,
    angle: 0,
    opacity: 0.55,
  }),
  // Its own image in the water.
  `<path d="M4.5 23.6H27L25 28H7z" fill="#14263d" opacity=".55" filter="url(#haze)"/>`,
  // Deck house, bridge and funnel aft; a mast, two cranes and cargo before them.
  `<rect x="4.6" y="12.2" width="8" height="5.6" fill="url(#house)"/>`,
  `<rect x="5.4" y="9.6" width="6.2" height="2.8" fill="#f7f7f3"/>`,
  `<path d="M5.7 10.6h5.7M5.2 13.8h6.8M5.2 15.8h6.8" stroke="#31435a" stroke-width=".7" stroke-dasharray=".9 .45"/>`,
  `<path d="M11 12.4v5.4h1.6v-5.4z" fill="#a9b3b8"/>`,
  `<path d="M6 5.8h2.7l.3 3.8H5.7z" fill="#b8352a"/><path d="M6 5.8h2.7v.9H6z" fill="#23252b"/>`,
  `<path d="M10.6 9.6V5.4M16.6 17V8.4l4 6.6M23.4 17V9.4l-3 5.6M27.6 16.6v-3.4" stroke="#4d555c" stroke-width=".5" fill="none"/>`,
  `<path d="M13.6 15.6h3.4v2.2h-3.4z" fill="#a64b35"/><path d="M17.2 15.1h3v2.7h-3z" fill="#6f8796"/><path d="M20.4 15.8h3.8v2h-3.8z" fill="#b98a3c"/>`,
  `<path d="M2.4 17.4H26.6L30.4 15.6 27.2 23.9H4.2C3 22 2.6 19.6 2.4 17.4z" fill="url(#hull)"/>`,
  `<path d="M2.4 17.4H26.6L30.4 15.6 30.1 16.4 26.9 18.1H2.5z" fill="#e8e8e2"/>`,
  `<path d="M3.5 22.2H27.9L27.2 23.9H4.2z" fill="#8c2b26"/>`,
  `<path d="M27.6 18.6l1.2-.7" stroke="#c6ccd4" stroke-width=".6"/>`,
  `<g filter="url(#foam)" fill="#eef4f5"><ellipse cx="27.4" cy="24" rx="2.6" ry=".6"/><ellipse cx="15" cy="24.1" rx="11" ry=".3" opacity=".6"/><ellipse cx="3" cy="24.1" rx="2" ry=".45" opacity=".8"/></g>`,
].join("");
