/** The best classes as bars, with what it took. */

import type { Answered } from "../compute/messages.ts";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";
import { Bars } from "../parts/bars.tsx";

export function Predictions({ answered }: { readonly answered: Answered | undefined }) {
  const { number } = useLanguage();
  const { tryIt } = useLater();
  if (answered === undefined) return <p class="note">{tryIt.nothing}</p>;
  const { predictions, milliseconds, backend, simd, threads, reasons } = answered;
  return (
    <>
      <Bars predictions={predictions} name="predictions" />
      <p>
        <span data-testid="latency">{tryIt.took(number(milliseconds, 2))}</span>{" "}
        <span data-testid="backend">{tryIt.by(backend, simd, number(threads))}</span>
      </p>
      {reasons.length > 0 && (
        <ul class="note">
          {reasons.map((reason) => (
            <li key={reason} lang="en">
              {reason}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
