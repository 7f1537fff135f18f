/** An airliner that climbs, from the side. */

import { gradient, softness } from "./paint.mjs";

export const airplane = [
  "<defs>",
  gradient("sky", ["#4f86c6", "#7facdb", "#b4d0e8"]),
  gradient("body", ["#fbfcfc", "#e9edf0", "#98a6b5"]),
  gradient("wing", ["#c9d1d8", "#7d8a97"]),
  softness("cloud", 1.3),
  softness("shade", 0.4),
  "</defs>",
  `<rect width="32" height="32" fill="url(#sky)"/>`,
  `<g fill="#f3f6f8" filter="url(#cloud)"><ellipse cx="6" cy="28" rx="8" ry="2.4" opacity=".8"/><ellipse cx="20" cy="30.5" rx="11" ry="2.2" opacity=".9"/><ellipse cx="27" cy="5" rx="5" ry="1.2" opacity=".5"/></g>`,
  `<g transform="rotate(-9 16 16)">`,
  // What lies behind the body: the far wing and half of the tail plane.
  `<path d="M18.2 14.6L12.4 9.2 14.4 9.1 22 14.4z" fill="#aab5c0"/>`,
  `<path d="M5 14.4L1.8 12.3H3.4L8 14.2z" fill="#aab5c0"/>`,
  `<path d="M3.4 15.2L1.2 8h2.9L9.4 14z" fill="#1f4f96"/><path d="M1.5 9L1.2 8h2.9l.8 1z" fill="#c23a33"/>`,
  `<path d="M1.8 15.4C6 14 11 13.6 16 13.6h8.6c2.8 0 5.4 1.3 6.2 2.9-.9 1.4-3.4 1.9-6.2 1.9H13C8.6 18.4 4.8 17.2 1.8 15.4z" fill="url(#body)"/>`,
  `<path d="M6 15.6H27" stroke="#33475f" stroke-width=".55" stroke-dasharray=".55 .5"/>`,
  `<path d="M4.4 16.7C8 17.2 16 17.2 29.6 17" stroke="#2a5ba6" stroke-width=".5" fill="none"/>`,
  `<path d="M28 14.5l1.5.9-1.9.1z" fill="#1c2735"/>`,
  // The near wing, its engine, the near half of the tail plane.
  `<ellipse cx="14.6" cy="18.9" rx="6" ry=".7" fill="#5f6c79" opacity=".6" filter="url(#shade)"/>`,
  `<path d="M21.2 17.2L15.6 17 6.6 24.2 8.8 24.4z" fill="url(#wing)"/><path d="M21.2 17.2L20 17.2 6.6 24.2 8.8 24.4z" fill="#e8ecef"/>`,
  `<path d="M13.8 20.6c0-.9 2.6-1.3 4-.9v2.2c-1.5.4-4-.2-4-1.3z" fill="#dfe4e8"/><ellipse cx="17.8" cy="20.8" rx=".5" ry="1.1" fill="#27313d"/>`,
  `<path d="M7.4 15.6L4.8 15.5 1 18.4h1.7z" fill="#cdd5db"/>`,
  "</g>",
].join("");
