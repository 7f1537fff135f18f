/** `keras:mobilenet_1_0_224_tf`: the weights of Keras' applications, by the names that Keras gives them. */

import { DepthwiseError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Settings } from "./options.ts";
import type { RemotePlace } from "./web-address.ts";
import { addressPlace } from "./web-address.ts";

const ALPHAS = ["1_0", "7_5", "5_0", "2_5"] as const;
const RESOLUTIONS = [224, 192, 160, 128] as const;
const HEADS = ["", "_no_top"] as const;

/** All of them: of each α, resolution, with and without classifier. Source: keras/src/applications/mobilenet.py. */
function kerasNames(): readonly string[] {
  return ALPHAS.flatMap((alpha) =>
    RESOLUTIONS.flatMap((resolution) => HEADS.map((head) => `mobilenet_${alpha}_${resolution}_tf${head}`)),
  );
}

/** @throws {DepthwiseError} `NAME_UNKNOWN`, with the nearest name that is known */
export function kerasPlace(source: string, settings: Settings): RemotePlace {
  const name = source.replace(/^keras:/, "").replace(/\.h5$/, "");
  const known = kerasNames();
  if (!known.includes(name)) {
    const hint = didYouMean(name, known);
    throw new DepthwiseError("NAME_UNKNOWN", {
      what: `source: Keras has no weights of a MobileNet V1 called ${JSON.stringify(name.slice(0, 200))}`,
      advice: hint === "" ? `Known: ${known.join(", ")}.` : hint,
      fields: { name, known },
    });
  }
  const addresses = [settings.kerasUrl, ...settings.mirrors].map(
    (base) => `${base.replace(/\/+$/, "")}/mobilenet/${name}.h5`,
  );
  return { ...addressPlace(`keras:${name}`, addresses, settings), mayChange: false };
}
