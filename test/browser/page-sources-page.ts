/** Runs in the browser, bundled by its test: pixels of what a page holds. */

import { decodeImage } from "depthwise/images";

declare global {
  interface Window {
    readAll(): Promise<Readonly<Record<string, string>>>;
  }
}

/** The first pixel, or what went wrong. */
async function look(source: unknown): Promise<string> {
  try {
    const { width, height, data } = await decodeImage(source as Blob);
    return `${width}x${height} ${[...data.subarray(0, 3)].join()}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

window.readAll = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 4, height: 3 });
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = "rgb(10, 200, 30)";
  context.fillRect(0, 0, 4, 3);
  const blob = await new Promise<Blob>((done) => canvas.toBlob((made) => done(made as Blob)));
  const offscreen = new OffscreenCanvas(4, 3);
  offscreen.getContext("2d")?.drawImage(canvas, 0, 0);
  const bitmap = await createImageBitmap(canvas);
  const closed = await createImageBitmap(canvas);
  closed.close();
  const image = new Image();
  image.src = "green.png";
  const missing = new Image();
  missing.src = "/nothing.png";
  const used = new Response(blob);
  await used.blob();
  const taken = look(canvas);
  context.fillStyle = "red";
  context.fillRect(0, 0, 4, 3);
  const results: Record<string, string> = {
    canvas: await taken,
    offscreen: await look(offscreen),
    bitmap: await look(bitmap),
    image: await look(image),
    blob: await look(blob),
    response: await look(new Response(blob)),
    closed: await look(closed),
    missing: await look(missing),
    used: await look(used),
    refused: await look(new Response("", { status: 404 })),
    empty: await look(new OffscreenCanvas(0, 3)),
    video: await look(document.createElement("video")),
  };
  return results;
};
