/** Where labels of points go so that they cover neither each other nor a point. */

/** Of 12 pixels system-ui, at least what a character is wide. */
const CHARACTER = 6.9;
const HEIGHT = 14;
/** From the middle of a point. */
const GAP = 9;

/** In the order in which they are tried: right, left, above, below, then the corners. */
const SIDES = [
  { dx: 1, dy: 0 },
  { dx: -1, dy: 0 },
  { dx: 0, dy: -1 },
  { dx: 0, dy: 1 },
  { dx: 1, dy: -1 },
  { dx: 1, dy: 1 },
  { dx: -1, dy: -1 },
  { dx: -1, dy: 1 },
];

/**
 * A place for each label: beside its point, or farther away where there is no room.
 *
 * @param {readonly { x: number, y: number, text: string }[]} points
 * @param {readonly { left: number, right: number, top: number, bottom: number }[]} taken what must stay free besides
 * @param {{ left: number, right: number, top: number, bottom: number }} frame
 * @returns {{ x: number, y: number, anchor: "start" | "middle" | "end", isFar: boolean }[]} `y` is the base line
 */
export function placeLabels(points, taken, frame) {
  const busy = [...taken, ...points.map(({ x, y }) => ({ left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 }))];
  return points.map((point) => {
    const tried = [1, 2, 3, 4].flatMap((far) => SIDES.map((side) => boxOf(point, side, far)));
    const costs = tried.map(
      ({ box }) => busy.filter((other) => overlap(box, other)).length + (isIn(box, frame) ? 0 : 100),
    );
    const best = tried[costs.indexOf(Math.min(...costs))];
    busy.push(best.box);
    return best.place;
  });
}

function boxOf({ x, y, text }, { dx, dy }, far) {
  const width = CHARACTER * text.length;
  const middle = { x: x + dx * GAP * (dy === 0 ? far : 0.7 * far), y: y + dy * (GAP + 4) * far };
  const left = dx > 0 ? middle.x : dx < 0 ? middle.x - width : middle.x - width / 2;
  const anchor = dx > 0 ? "start" : dx < 0 ? "end" : "middle";
  const top = middle.y - HEIGHT / 2;
  return {
    box: { left, right: left + width, top, bottom: top + HEIGHT },
    place: { x: middle.x, y: middle.y + 4, anchor, isFar: far > 1 },
  };
}

export function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function isIn(box, frame) {
  return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
}
