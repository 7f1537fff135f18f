/** What is known of the network, and what that rests on. */

import type { Opened } from "../compute/messages.ts";
import { useLanguage } from "../language.tsx";

export function Description({ opened }: { readonly opened: Opened }) {
  const { words } = useLanguage();
  return (
    <details>
      <summary>{words.tryIt.description}</summary>
      {/* The library speaks English. */}
      <pre lang="en">{opened.text}</pre>
    </details>
  );
}
