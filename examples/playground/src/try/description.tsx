/** What is known of the network, and what that rests on. */

import type { Opened } from "../compute/messages.ts";
import { useLater } from "../later.ts";

export function Description({ opened }: { readonly opened: Opened }) {
  const { tryIt } = useLater();
  return (
    <details>
      <summary>{tryIt.description}</summary>
      {/* The library speaks English. */}
      <pre lang="en">{opened.text}</pre>
    </details>
  );
}
