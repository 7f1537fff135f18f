/** All drawings, by the names of their files. */

import { airplane } from "./airplane.mjs";
import { automobile } from "./automobile.mjs";
import { digits } from "./digits.mjs";
import { frog } from "./frog.mjs";
import { horse } from "./horse.mjs";
import { renderDigit, renderScene } from "./render.mjs";
import { ship } from "./ship.mjs";
import { truck } from "./truck.mjs";

const scenes = { airplane, automobile, frog, horse, ship, truck };

const drawnDigits = digits.map((strokes, digit) => ({ name: `digit-${digit}.png`, draw: () => renderDigit(strokes) }));
const drawnScenes = Object.entries(scenes).map(([name, scene], at) => ({
  name: `${name}.png`,
  draw: () => renderScene(scene, at + 1),
}));

/** `draw` gives `{ side, channels, pixels }`. */
export const drawings = [...drawnDigits, ...drawnScenes];
