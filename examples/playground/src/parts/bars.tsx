/** Classes and how likely each is. */

import type { Prediction } from "depthwise";
import { useLanguage } from "../language.tsx";

interface BarsProps {
  readonly predictions: readonly Prediction[];
  /** What scripts know them by. */
  readonly name?: string;
}

export function Bars({ predictions, name }: BarsProps) {
  const { percent } = useLanguage();
  return (
    <ol class="bars" data-testid={name}>
      {predictions.map(({ label, index, probability }) => (
        <li key={index}>
          <span>{label}</span>
          <meter min={0} max={1} value={probability} aria-label={label} />
          <span class="number">{percent(probability, 1)}</span>
        </li>
      ))}
    </ol>
  );
}
