/** All drawings, by the names of their files. */

import { airplane } from "./airplane.mjs";
import { automobile } from "./automobile.mjs";
import { bird } from "./bird.mjs";
import { cat } from "./cat.mjs";
import { deer } from "./deer.mjs";
import { digits } from "./digits.mjs";
import { dog } from "./dog.mjs";
import { frog } from "./frog.mjs";
import { horse } from "./horse.mjs";
import { renderDigit, renderScene } from "./render.mjs";
import { ship } from "./ship.mjs";
import { truck } from "./truck.mjs";

/** Called as CIFAR-10 calls its classes. */
const scenes = { airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck };

/** A number of the name, so that a scene more leaves the others as they are. */
const seedOf = (name) => [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 0);

/** `draw` gives `{ side, channels, pixels }`. */
export const drawings = [
  ...digits.map((strokes, digit) => ({ name: `digit-${digit}.png`, draw: () => renderDigit(strokes) })),
  ...Object.entries(scenes).map(([name, scene]) => ({
    name: `${name}.png`,
    draw: () => renderScene(scene, seedOf(name)),
  })),
];
