/** A look into the network: the maps of any layer, and where in the picture a class was seen. */

import type { Prediction } from "depthwise";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { Maps, Opened, Shown } from "../compute/messages.ts";
import { useLanguage } from "../language.tsx";

/** More maps than these tell nobody more. */
const MOST_MAPS = 64;

interface InsideProps {
  readonly opened: Opened;
  readonly picture: Shown;
  readonly best: Prediction | undefined;
}

export function Inside({ opened, picture, best }: InsideProps) {
  const { words, number } = useLanguage();
  const { tryIt } = words;
  const [layer, setLayer] = useState(opened.layers[0] ?? "");
  const shown = opened.layers.includes(layer) ? layer : (opened.layers[0] ?? "");
  const maps = useAnswer(() => ask("maps", { picture, layer: shown }), [picture, shown, opened]);
  const attention = useAnswer(
    () => (opened.hasAttention && best ? ask("attention", { picture, index: best.index }) : Promise.resolve(undefined)),
    [picture, best?.index, opened],
  );
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
            {tryIt.mapsOf(
              number(Math.min(maps.channels, MOST_MAPS)),
              number(maps.channels),
              `${maps.height} × ${maps.width}`,
            )}
          </p>
          <div
            class="maps"
            role="img"
            aria-label={tryIt.mapsOf(
              number(Math.min(maps.channels, MOST_MAPS)),
              number(maps.channels),
              `${maps.height} × ${maps.width}`,
            )}
          >
            {Array.from({ length: Math.min(maps.channels, MOST_MAPS) }, (_, channel) => (
              <GreyMap key={channel} maps={maps} channel={channel} />
            ))}
          </div>
        </>
      )}
      {attention && best && (
        <>
          <h4>{tryIt.attention}</h4>
          <p class="note">{tryIt.attentionOf(best.label)}</p>
          <div class="maps large" role="img" aria-label={tryIt.attentionOf(best.label)}>
            <GreyMap maps={attention} channel={0} />
          </div>
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
    const values = Float32Array.from({ length: height * width }, (_, i) => data[i * channels + channel] ?? 0);
    const [least, most] = values.reduce(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)] as const,
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const,
    );
    const image = context.createImageData(width, height);
    values.forEach((value, i) => {
      const grey = most > least ? (255 * (value - least)) / (most - least) : 0;
      image.data.set([grey, grey, grey, 255], 4 * i);
    });
    context.putImageData(image, 0, 0);
  }, [height, width, channels, data, channel]);
  return <canvas ref={canvas} width={width} height={height} />;
}
