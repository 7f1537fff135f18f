/** A look into the network: the maps of any layer, and where in the picture a class was seen. */

import type { Prediction } from "depthwise";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { Maps, Opened, Shown } from "../compute/messages.ts";
import { useLanguage } from "../language.tsx";

interface InsideProps {
  readonly opened: Opened;
  readonly picture: Shown;
  readonly best: Prediction | undefined;
}

export function Inside({ opened, picture, best }: InsideProps) {
  const { words, number } = useLanguage();
  const { tryIt } = words;
  const [layer, setLayer] = useState("");
  // The first layer behind the picture itself, until one is chosen.
  const shown = opened.layers.includes(layer) ? layer : (opened.layers[1] ?? opened.layers[0] ?? "");
  const maps = useAnswer(() => ask("maps", { picture, layer: shown }), [picture, shown, opened]);
  const attention = useAnswer(async () => {
    if (!opened.hasAttention || best === undefined) return undefined;
    const map = await ask("attention", { picture, index: best.index });
    return { map, input: await ask("maps", { picture, layer: opened.layers[0] ?? "" }) };
  }, [picture, best?.index, opened]);
  return (
    <section class="inside">
      <h3>{tryIt.inside}</h3>
      <label>
        {tryIt.layer}{" "}
        <select value={shown} onChange={(event) => setLayer(event.currentTarget.value)}>
          {opened.layers.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {maps && (
        <>
          <p class="note">
            {tryIt.mapsOf(number(maps.channels), number(maps.size[2]), `${maps.size[0]} × ${maps.size[1]}`)}
          </p>
          <div
            class="maps"
            role="img"
            aria-label={tryIt.mapsOf(number(maps.channels), number(maps.size[2]), `${maps.size[0]} × ${maps.size[1]}`)}
          >
            {Array.from({ length: maps.channels }, (_, channel) => (
              <GreyMap key={channel} maps={maps} channel={channel} />
            ))}
          </div>
        </>
      )}
      {attention && best && (
        <>
          <h4>{tryIt.attention}</h4>
          <p class="note">{tryIt.attentionOf(best.label)}</p>
          <Attention label={tryIt.attentionOf(best.label)} input={attention.input} map={attention.map} />
        </>
      )}
    </section>
  );
}

/** The newest answer to what is asked; undefined till then, and where there is none. */
function useAnswer<Value>(question: () => Promise<Value>, on: readonly unknown[]): Value | undefined {
  const [answer, setAnswer] = useState<Value>();
  useEffect(() => {
    let isCurrent = true;
    question().then(
      (found) => isCurrent && setAnswer(() => found),
      () => isCurrent && setAnswer(undefined),
    );
    return () => {
      isCurrent = false;
    };
  }, [...on]);
  return answer;
}

interface AttentionProps {
  readonly label: string;
  /** What the network sees. */
  readonly input: Maps;
  readonly map: Maps;
}

const SHOWN = 224;

/** The picture as the network sees it, in grey, with orange where it speaks for the answer. */
function Attention({ label, input, map }: AttentionProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const [picture, veil] = [sheetOf(input, greyOf(input)), sheetOf(map, veilOf(map))];
    context.clearRect(0, 0, SHOWN, SHOWN);
    context.drawImage(picture, 0, 0, SHOWN, SHOWN);
    context.drawImage(veil, 0, 0, SHOWN, SHOWN);
  }, [input, map]);
  return <canvas ref={canvas} class="attention" width={SHOWN} height={SHOWN} role="img" aria-label={label} />;
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

/** The mean of a picture's channels, whatever their range. */
function greyOf({ channels, data }: Maps): PixelOf {
  const [least, most] = rangeOf(data);
  return (place) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += data[place * channels + channel] ?? 0;
    const grey = most > least ? (255 * (sum / channels - least)) / (most - least) : 0;
    return [grey, grey, grey, 255];
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

function rangeOf(values: Float32Array): readonly [least: number, most: number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** A map in grey, from its smallest number to its largest. */
function GreyMap({
  maps: { height, width, channels, data },
  channel,
}: {
  readonly maps: Maps;
  readonly channel: number;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const image = context.createImageData(width, height);
    const { data: pixels } = image;
    // No list a map or a pixel: a layer may have millions.
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = channel; i < data.length; i += channels) {
      const value = data[i] ?? 0;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const scale = most > least ? 255 / (most - least) : 0;
    for (let place = 0; place < height * width; place++) {
      const grey = scale * ((data[place * channels + channel] ?? 0) - least);
      pixels[4 * place] = pixels[4 * place + 1] = pixels[4 * place + 2] = grey;
      pixels[4 * place + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [height, width, channels, data, channel]);
  return <canvas ref={canvas} width={width} height={height} />;
}
