/** What went wrong, in words, where it is seen and heard. */

import type { Fault } from "../fault.ts";
import { useLanguage } from "../language.tsx";

interface TroubleProps {
  readonly fault: Fault | undefined;
  /** Where the same can be tried again. */
  readonly onRetry?: (() => void) | undefined;
}

export function Trouble({ fault, onRetry }: TroubleProps) {
  const { words } = useLanguage();
  const faults: Readonly<Record<string, string>> = words.faults;
  const sentence = fault && (faults[fault.code] ?? words.faults.UNKNOWN);
  return (
    <div class={fault === undefined ? "" : "trouble"} role="alert" data-testid="error">
      {sentence}
      {fault?.message && (
        // The library and the browser speak English.
        <p class="note" lang="en">
          {fault.message}
        </p>
      )}
      {fault && onRetry && (
        <button type="button" onClick={onRetry}>
          {words.retry}
        </button>
      )}
    </div>
  );
}
