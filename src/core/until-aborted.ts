/** A promise that gives up when a signal says so, whatever it waits for. */

interface Listening {
  readonly all: Set<() => void>;
  readonly listener: () => void;
}

const listening = /* @__PURE__ */ new WeakMap<AbortSignal, Listening>();

/**
 * Calls back when a signal is aborted, at once if it is. One listener a signal, however many wait on it: Node warns of
 * a leak from the eleventh on.
 *
 * @returns ends it
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    // It is aborted once.
    return () => {};
  }
  const { all, listener } = listening.get(signal) ?? firstListener(signal);
  // Its own function each time: the same may wait twice.
  const own = () => callback();
  all.add(own);
  return () => {
    all.delete(own);
    if (all.size > 0) return;
    signal.removeEventListener("abort", listener);
    listening.delete(signal);
  };
}

function firstListener(signal: AbortSignal): Listening {
  const all = new Set<() => void>();
  const listener = () => {
    for (const each of [...all]) each();
  };
  signal.addEventListener("abort", listener);
  const made = { all, listener };
  listening.set(signal, made);
  return made;
}

/** One signal of several: aborted when the first of them is, for its reason. `forget` ends its listening. */
export function anyOf(signals: readonly (AbortSignal | undefined)[]) {
  const first = new AbortController();
  const forget = signals.map((signal) =>
    signal === undefined ? () => {} : onAbort(signal, () => first.abort(signal.reason)),
  );
  return {
    signal: first.signal,
    forget: () => {
      for (const each of forget) each();
    },
  } as const;
}

/** @throws `signal.reason` as soon as it is aborted; `work` itself goes on unheard */
export async function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  let forget = () => {};
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    forget();
  }
}
