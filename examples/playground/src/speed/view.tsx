/** Section 3: MobileNet and the same network of standard convolutions, measured here and now. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { Measured } from "../compute/messages.ts";
import { Evidence } from "../evidence.tsx";
import { type Fault, faultOf } from "../fault.ts";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";
import { Button } from "../parts/button.tsx";
import { Letters } from "../parts/letters.tsx";
import { NetworkSliders } from "../parts/network-sliders.tsx";
import { Trouble } from "../parts/trouble.tsx";
import type { ViewProps } from "../view.ts";

/** Both measured, and at which size. */
interface Both {
  /** What was measured: the sliders, or the address, may say something else by then. */
  readonly of: { readonly alpha: number; readonly resolution: number };
  readonly separable: Measured;
  readonly standard: Measured;
  /** GFLOP/s that this machine can do at most: the larger of what was found beside either; undefined where it was not. */
  readonly limit: number | undefined;
}

export default function Speed({ state, set }: ViewProps) {
  const { number } = useLanguage();
  const { speed } = useLater();
  const { alpha, resolution } = state;
  const [measured, setMeasured] = useState<Both>();
  const shown = measured?.of.alpha === alpha && measured.of.resolution === resolution ? measured : undefined;
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const measuring = useRef<AbortController>(undefined);
  // Nobody waits any more for times of other sizes, or for any in another section.
  useLayoutEffect(() => () => measuring.current?.abort(), [alpha, resolution]);
  const measure = async () => {
    const mine = new AbortController();
    measuring.current = mine;
    setBusy(true);
    setFault(undefined);
    try {
      const of = { alpha, resolution };
      const separable = await ask("measure", { ...of, standardConvolution: false }, mine.signal);
      const standard = await ask("measure", { ...of, standardConvolution: true }, mine.signal);
      const limits = [separable, standard].flatMap(({ limitGflops }) => limitGflops ?? []);
      const limit = limits.length === 0 ? undefined : Math.max(...limits);
      setMeasured({ of, separable, standard, limit });
    } catch (error) {
      if (!mine.signal.aborted) setFault(faultOf(error));
    } finally {
      if (measuring.current === mine) setBusy(false);
    }
  };
  return (
    <>
      <p class="lead">{speed.lead}</p>
      <Evidence of={["speed"]}>
        <section class="panel" aria-label={speed.settings}>
          <NetworkSliders state={state} set={set} />
          <Button look="main" isOff={isBusy} onClick={measure}>
            {isBusy ? speed.running : shown === undefined ? speed.start : speed.again}
          </Button>
        </section>
      </Evidence>
      <Trouble fault={fault} />
      {shown && (
        <>
          <p class="result" role="status">
            {speed.ratio(
              number(shown.standard.multAdds / shown.separable.multAdds, 1),
              number(shown.standard.totalMs / shown.separable.totalMs, 1),
            )}
          </p>
          <Networks {...shown} />
          <Reasons {...shown} />
          <h3>{speed.byLayer}</h3>
          <Layers measured={shown.separable} limit={shown.limit} />
        </>
      )}
    </>
  );
}

/** Why the one number is not the other. */
function Reasons({ separable, standard, limit }: Both) {
  const { number, percent } = useLanguage();
  const { speed } = useLater();
  const work = standard.multAdds / separable.multAdds;
  return (
    <>
      <p class="lead">
        {limit !== undefined &&
          `${speed.reached(percent(separable.gflops / limit), percent(standard.gflops / limit))} `}
        {speed.same(number(work, 1))} {speed.gains[gainOf(standard.totalMs / separable.totalMs / work)]}
      </p>
      <p class="lead">
        <Letters text={speed.why} />
      </p>
    </>
  );
}

/** What the time gains beside the work; a twentieth is noise. */
function gainOf(ratio: number): "less" | "same" | "more" {
  if (ratio < 0.95) return "less";
  return ratio > 1.05 ? "more" : "same";
}

function Networks({ separable, standard, limit }: Both) {
  const { number, percent } = useLanguage();
  const { speed, widths } = useLater();
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
          {rows.map(([title, measured]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td>{number(measured.multAdds)}</td>
              <td>{number(measured.totalMs, 2)}</td>
              <td>{number(measured.gflops, 1)}</td>
              <td>{limit === undefined ? "" : percent(measured.gflops / limit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LayersProps extends Pick<Both, "limit"> {
  readonly measured: Measured;
}

function Layers({ measured: { steps }, limit }: LayersProps) {
  const { number, percent } = useLanguage();
  const { speed } = useLater();
  const most = Math.max(...steps.map(({ timeMs }) => timeMs));
  const shown = steps.filter(({ multAdds }) => multAdds > 0);
  return (
    <>
      <p class="note">
        {limit !== undefined && `${speed.limitNote(number(limit, 1))} `}
        {speed.bytesNote}
      </p>
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
            {shown.map(({ name, multAdds, timeMs, bytes, gflops }) => (
              <tr key={name}>
                <th scope="row" lang="en">
                  {name}
                </th>
                <td>{number(multAdds)}</td>
                <td class="bar">
                  <meter min={0} max={most} value={timeMs} aria-label={name} />
                </td>
                <td>{number(timeMs, 3)}</td>
                <td>{number((2 * multAdds) / bytes, 1)}</td>
                <td>{number(gflops, 1)}</td>
                <td>{limit === undefined ? "" : percent(gflops / limit)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
