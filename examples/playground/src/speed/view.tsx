/** Section 3: MobileNet and the same network of standard convolutions, measured here and now. */

import { useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { Measured } from "../compute/messages.ts";
import { useLanguage } from "../language.tsx";
import { Slider } from "../parts/controls.tsx";
import { Formula } from "../parts/formula.tsx";
import { Letters } from "../parts/letters.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { ALPHAS, RESOLUTIONS } from "../state.ts";
import type { ViewProps } from "../view.ts";

interface Both {
  /** What was measured: the sliders, or the address, may say something else by then. */
  readonly of: { readonly alpha: number; readonly resolution: number };
  readonly separable: Measured;
  readonly standard: Measured;
}

export default function Speed({ state, set }: ViewProps) {
  const { words, number } = useLanguage();
  const { speed, widths } = words;
  const { alpha, resolution } = state;
  const [measured, setMeasured] = useState<Both>();
  const both = measured?.of.alpha === alpha && measured.of.resolution === resolution ? measured : undefined;
  const [isBusy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const measure = async () => {
    setBusy(true);
    setTrouble(undefined);
    try {
      const of = { alpha, resolution };
      const separable = await ask("measure", { ...of, standardConvolution: false });
      setMeasured({ of, separable, standard: await ask("measure", { ...of, standardConvolution: true }) });
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <p class="lead">{speed.lead}</p>
      <section class="panel" aria-label={speed.settings}>
        <Slider
          label={
            <>
              {widths.alpha} <Formula name="alpha" />
            </>
          }
          value={ALPHAS.indexOf(alpha as (typeof ALPHAS)[number])}
          range={[0, ALPHAS.length - 1]}
          text={number(alpha, 2)}
          onChange={(place) => set({ alpha: ALPHAS[place] ?? 1 })}
        />
        <Slider
          label={
            <>
              {widths.rho} <Formula name="rho" />
            </>
          }
          value={RESOLUTIONS.indexOf(resolution as (typeof RESOLUTIONS)[number])}
          range={[0, RESOLUTIONS.length - 1]}
          text={widths.rhoText(number(resolution / 224, 3), number(resolution))}
          onChange={(place) => set({ resolution: RESOLUTIONS[place] ?? 224 })}
        />
        <button type="button" class="main" disabled={isBusy} onClick={measure}>
          {isBusy ? speed.running : both === undefined ? speed.start : speed.again}
        </button>
      </section>
      <Trouble message={trouble} />
      {both !== undefined && (
        <>
          <p class="result" role="status">
            {speed.ratio(
              number(both.standard.multAdds / both.separable.multAdds, 1),
              number(both.standard.totalMs / both.separable.totalMs, 1),
            )}
          </p>
          <Networks {...both} />
          <p class="lead">
            <Letters text={isSlower(both) ? speed.why : speed.even} />
          </p>
          <h3>{speed.byLayer}</h3>
          <Layers measured={both.separable} />
        </>
      )}
    </>
  );
}

/** Whether the time saved is less than the work saved; a twentieth is noise. */
function isSlower({ separable, standard }: Both): boolean {
  return standard.totalMs / separable.totalMs < (0.95 * standard.multAdds) / separable.multAdds;
}

function Networks({ separable, standard }: Both) {
  const { words, number } = useLanguage();
  const { speed, widths } = words;
  const rows = [
    [widths.separable, separable],
    [widths.standard, standard],
  ] as const;
  return (
    <div class="wide">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">{speed.network}</th>
            <th scope="col">{speed.multAdds}</th>
            <th scope="col">{speed.milliseconds}</th>
            <th scope="col">{speed.rate}</th>
            <th scope="col">{speed.limit}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([title, { multAdds, totalMs, gflops, limitGflops }]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td>{number(multAdds)}</td>
              <td>{number(totalMs, 2)}</td>
              <td>{number(gflops, 1)}</td>
              <td>{limitGflops === undefined ? "" : `${number((100 * gflops) / limitGflops)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Layers({ measured: { steps, limitGflops } }: { readonly measured: Measured }) {
  const { words, number } = useLanguage();
  const { speed } = words;
  const most = Math.max(...steps.map(({ timeMs }) => timeMs));
  const shown = steps.filter(({ multAdds }) => multAdds > 0);
  return (
    <>
      {limitGflops !== undefined && <p class="note">{speed.limitNote(number(limitGflops, 1))}</p>}
      <div class="wide">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">{speed.layer}</th>
              <th scope="col">{speed.multAdds}</th>
              <th scope="col" colSpan={2}>
                {speed.milliseconds}
              </th>
              <th scope="col">{speed.intensity}</th>
              <th scope="col">{speed.rate}</th>
              <th scope="col">{speed.limit}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ name, multAdds, timeMs, bytes, gflops, share }) => (
              <tr key={name}>
                <th scope="row" lang="en">
                  {name}
                </th>
                <td>{number(multAdds)}</td>
                <td class="bar">
                  <meter min={0} max={most} value={timeMs} aria-label={name} />
                </td>
                <td>{number(timeMs, 3)}</td>
                <td>{bytes === 0 ? "" : number(multAdds / bytes, 1)}</td>
                <td>{number(gflops, 1)}</td>
                <td>{share === undefined ? "" : `${number(100 * share)} %`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
