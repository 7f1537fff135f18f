/** Both sliders of a MobileNet: α and ρ. */

import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";
import { ALPHAS, RESOLUTIONS } from "../state.ts";
import type { ViewProps } from "../view.ts";
import { Slider } from "./controls.tsx";
import { Formula } from "./formula.tsx";

/** What ρ is 1 of. */
const WHOLE = 224;

export function NetworkSliders({ state: { alpha, resolution }, set }: ViewProps) {
  const { number } = useLanguage();
  const { widths } = useLater();
  return (
    <>
      <Slider
        label={
          <>
            {widths.alpha} <Formula name="alpha" />
          </>
        }
        value={ALPHAS.indexOf(alpha)}
        range={[0, ALPHAS.length - 1]}
        text={number(alpha, 2)}
        testId="alpha"
        onChange={(place) => set({ alpha: ALPHAS[place] ?? 1 })}
      />
      <Slider
        label={
          <>
            {widths.rho} <Formula name="rho" />
          </>
        }
        value={RESOLUTIONS.indexOf(resolution)}
        range={[0, RESOLUTIONS.length - 1]}
        text={widths.rhoText(number(resolution / WHOLE, 3), number(resolution))}
        testId="rho"
        onChange={(place) => set({ resolution: RESOLUTIONS[place] ?? WHOLE })}
      />
    </>
  );
}
