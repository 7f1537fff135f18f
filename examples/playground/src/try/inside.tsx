/** A look into the network: the maps of any layer, and where in the picture a class was seen. */

import type { Prediction } from "depthwise";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { ClassActivation, Look, Maps, Opened, Shown } from "../compute/messages.ts";
import { type Fault, faultOf } from "../fault.ts";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";

interface InsideProps {
  readonly opened: Opened;
  readonly picture: Shown;
  readonly best: Prediction;
  readonly onFault: (fault: Fault) => void;
}

export function Inside({ opened, picture, best, onFault }: InsideProps) {
  const { number } = useLanguage();
  const { tryIt } = useLater();
  const [layer, setLayer] = useState("");
  const [look, setLook] = useState<Look>();
  // The first layer behind the picture itself, until one is chosen.
  const shown = opened.layers.includes(layer) ? layer : (opened.layers[1] ?? opened.layers[0] ?? "");
  useEffect(() => {
    const stale = new AbortController();
    ask("look", { picture, layer: shown, index: best.index }, stale.signal).then(setLook, (error) => {
      if (stale.signal.aborted) return;
      setLook(undefined);
      onFault(faultOf(error));
    });
    return () => stale.abort();
  }, [picture, shown, best.index, opened]);
  const { maps, classActivation } = look ?? {};
  // On one line.
  const sides = ([height, width]: readonly number[]) => `${number(height ?? 0)}\u00a0×\u00a0${number(width ?? 0)}`;
  const told = maps && tryIt.mapsOf(number(maps.channels), number(maps.size[2]), sides(maps.size));
  const where = classActivation && tryIt.classActivationOf(best.label, sides(classActivation.map.size));
  return (
    <section aria-label={tryIt.inside}>
      <h3>{tryIt.inside}</h3>
      <label>
        {tryIt.layer}{" "}
        <select value={shown} onChange={(event) => setLayer(event.currentTarget.value)}>
          {opened.layers.map((name) => (
            <option key={name} lang="en">
              {name}
            </option>
          ))}
        </select>
      </label>
      {maps && (
        <>
          <p class="note">{told}</p>
          <div class="maps" role="img" aria-label={told}>
            {Array.from({ length: maps.channels }, (_, channel) => (
              <GreyMap key={channel} maps={maps} channel={channel} />
            ))}
          </div>
        </>
      )}
      {classActivation && (
        <>
          <h4>{tryIt.classActivation}</h4>
          <p class="note">{where}</p>
          <Overlay label={where} {...classActivation} />
        </>
      )}
    </section>
  );
}

/** The part of the picture that the network sees, with orange where it speaks for the answer. */
function Overlay({ label, map, photo }: ClassActivation & { readonly label: string | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { height, width } = photo;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.drawImage(sheetOf(photo, colourOf(photo)), 0, 0);
    context.drawImage(sheetOf(map, veilOf(map)), 0, 0, width, height);
  }, [photo, map]);
  return <canvas ref={canvas} class="overlay" width={width} height={height} role="img" aria-label={label} />;
}

type PixelOf = (place: number) => readonly [red: number, green: number, blue: number, alpha: number];

function sheetOf({ height, width }: Maps, pixelOf: PixelOf): OffscreenCanvas {
  const sheet = new OffscreenCanvas(width, height);
  const context = sheet.getContext("2d");
  const image = new ImageData(width, height);
  for (let place = 0; place < height * width; place++) image.data.set(pixelOf(place), 4 * place);
  context?.putImageData(image, 0, 0);
  return sheet;
}

/** Bytes of 1 or 3 channels as they are. */
function colourOf({ channels, data }: Maps): PixelOf {
  return (place) => {
    const [red = 0, green = red, blue = red] = data.subarray(place * channels, (place + 1) * channels);
    return [red, green, blue, 255];
  };
}

/** Clear where nothing speaks for the answer. */
function veilOf({ data }: Maps): PixelOf {
  const [least, most] = rangeOf(data);
  return (place) => {
    const strength = most > least ? ((data[place] ?? 0) - least) / (most - least) : 0;
    return [255, 120, 0, 190 * strength];
  };
}

function rangeOf(values: Maps["data"]): readonly [least: number, most: number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** A map in grey, from its smallest number to its largest. */
function GreyMap({ maps, channel }: { readonly maps: Maps; readonly channel: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { height, width, channels, data } = maps;
  useEffect(() => {
    // No list a map or a pixel: a layer may have millions.
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = channel; i < data.length; i += channels) {
      const value = data[i] ?? 0;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const scale = most > least ? 255 / (most - least) : 0;
    const sheet = sheetOf(maps, (place) => {
      // Of one number alone nobody can say whether it is large.
      const grey = scale === 0 ? 128 : scale * ((data[place * channels + channel] ?? 0) - least);
      return [grey, grey, grey, 255];
    });
    canvas.current?.getContext("2d")?.drawImage(sheet, 0, 0);
  }, [maps, channel]);
  return <canvas ref={canvas} width={width} height={height} />;
}
