/** A sheet to draw a digit on, with finger, mouse or pen; for keyboards, drawings that are there already. */

import type { ImageDataLike } from "depthwise/images";
import { useEffect, useRef } from "preact/hooks";
import type { Fault } from "../fault.ts";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";
import { fetched } from "./fetched.ts";

const SIDE = 280;
/** The network reads pictures of 28 pixels whose digit fills 20 of them: a line is as thick there as people's. */
const LINE = 22;

interface DrawingProps {
  readonly onDrawn: (picture: ImageDataLike | undefined) => void;
  readonly onFault: (fault: Fault | undefined) => void;
}

export function Drawing({ onDrawn, onFault }: DrawingProps) {
  const { number } = useLanguage();
  const { tryIt } = useLater();
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useRef<{ id: number; x: number; y: number } | undefined>(undefined);

  const context = () => canvas.current?.getContext("2d", { willReadFrequently: true }) ?? undefined;
  const clear = () => {
    const brush = context();
    if (brush === undefined) return;
    brush.fillStyle = "black";
    brush.fillRect(0, 0, SIDE, SIDE);
  };
  useEffect(clear, []);
  const drawn = () => {
    const found = context()?.getImageData(0, 0, SIDE, SIDE);
    if (found !== undefined) onDrawn(centred(found));
  };
  const placeOf = ({ offsetX, offsetY, currentTarget }: PointerEvent & { currentTarget: HTMLCanvasElement }) => ({
    x: (offsetX * SIDE) / currentTarget.clientWidth,
    y: (offsetY * SIDE) / currentTarget.clientHeight,
  });
  const line = (from: { x: number; y: number }, to: { x: number; y: number }) => {
    const brush = context();
    if (brush === undefined) return;
    Object.assign(brush, { lineWidth: LINE, lineCap: "round", lineJoin: "round", strokeStyle: "white" });
    brush.beginPath();
    brush.moveTo(from.x, from.y);
    brush.lineTo(to.x, to.y);
    brush.stroke();
  };
  const lift = ({ pointerId }: PointerEvent) => {
    if (pen.current?.id !== pointerId) return;
    pen.current = undefined;
    drawn();
  };
  const ready = async (digit: number) => {
    const file = await fetched(DRAWINGS[digit] ?? "", onFault);
    if (file === undefined) return;
    context()?.drawImage(await createImageBitmap(file), 0, 0, SIDE, SIDE);
    drawn();
  };
  return (
    <>
      <p>{tryIt.draw}</p>
      <canvas
        ref={canvas}
        class="sheet"
        width={SIDE}
        height={SIDE}
        aria-label={tryIt.sheet}
        role="img"
        data-testid="digit-canvas"
        onPointerDown={(event) => {
          // A second finger would draw a line from the first one.
          if (pen.current !== undefined) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          pen.current = { id: event.pointerId, ...placeOf(event) };
          line(pen.current, pen.current);
        }}
        onPointerMove={(event) => {
          if (pen.current?.id !== event.pointerId) return;
          const to = placeOf(event);
          line(pen.current, to);
          pen.current = { id: event.pointerId, ...to };
        }}
        onPointerUp={lift}
        // What was drawn until then stays, and is answered.
        onPointerCancel={lift}
      />
      <div class="buttons">
        <button
          type="button"
          onClick={() => {
            clear();
            onDrawn(undefined);
          }}
        >
          {tryIt.clear}
        </button>
        {DRAWINGS.map((_, digit) => (
          <button
            key={digit}
            type="button"
            class="digit"
            aria-label={tryIt.readyDigit(number(digit))}
            onClick={() => ready(digit)}
          >
            {number(digit)}
          </button>
        ))}
      </div>
    </>
  );
}

/** Drawings of the repository's, made by a script of it. */
const DRAWINGS = Object.entries(
  import.meta.glob<string>("../../../drawings/digit-*.png", { eager: true, query: "?url", import: "default" }),
)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([, url]) => url);

/** The darkest that counts as drawn. */
const INK = 40;
/** Of the side, what the digit fills, as in MNIST: 20 of 28 pixels. */
const FILLED = 20 / 28;

/** As MNIST has its digits: in a box of 20 of 28 pixels, its centre of mass in the middle. Undefined where nothing is drawn. */
function centred({ width, height, data }: ImageData): ImageDataLike | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ink = data[4 * (y * width + x)] ?? 0;
      if (ink < INK) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      mass += ink;
      sumX += ink * x;
      sumY += ink * y;
    }
  }
  if (mass === 0) return undefined;
  const long = Math.max(right - left, bottom - top) + 1;
  const side = Math.round(long / FILLED);
  const pixels = new Uint8Array(side * side);
  const [fromX, fromY] = [Math.round(sumX / mass - side / 2), Math.round(sumY / mass - side / 2)];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [sx, sy] = [fromX + x, fromY + y];
      if (sx >= 0 && sy >= 0 && sx < width && sy < height) pixels[y * side + x] = data[4 * (sy * width + sx)] ?? 0;
    }
  }
  return { width: side, height: side, data: pixels };
}
