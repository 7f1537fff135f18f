/** A cache that nobody has to wait for after an abort: a disk may hang, and a database be in use by another tab. */

import { onAbort, untilAborted } from "../core/until-aborted.ts";
import type { CachedFile, PartialFile, SourceCache } from "./cache.ts";

/** Longest that what arrived is waited for to be put by, where the one who aborted is waiting. */
const LEAVING_MS = 250;

export async function abortable(
  open: () => Promise<SourceCache | undefined>,
  signal: AbortSignal | undefined,
): Promise<SourceCache | undefined> {
  const cache = await untilAborted(open(), signal);
  if (cache === undefined || signal === undefined) return cache;
  const { partial } = cache;
  return {
    ...cache,
    async find(url) {
      const found = await untilAborted(cache.find(url), signal);
      return found && abortableFile(found, signal);
    },
    save: (url, bytes, facts) => untilAborted(cache.save(url, bytes, facts), signal),
    ...(partial && { partial: (url) => abortablePartial(partial(url), signal) }),
  };
}

function abortableFile(file: CachedFile, signal: AbortSignal): CachedFile {
  return {
    ...file,
    load: () => untilAborted(file.load(), signal),
    drop: () => untilAborted(file.drop(), signal),
  };
}

async function abortablePartial(opening: Promise<PartialFile>, signal: AbortSignal): Promise<PartialFile> {
  const file = await untilAborted(opening, signal).catch((cause) => {
    // It may have taken over what an earlier download left, which the next one is to find.
    void opening.then((late) => late.leave()).catch(() => {});
    throw cause;
  });
  const { left } = file;
  return {
    left: left && { ...left, load: () => untilAborted(left.load(), signal) },
    begin: (source) => untilAborted(file.begin(source), signal),
    append: (bytes) => untilAborted(file.append(bytes), signal),
    leave: () => briefly(file.leave(), signal),
    drop: () => briefly(file.drop(), signal),
  };
}

async function briefly(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let forget = () => {};
  const late = new Promise<void>((done) => {
    forget = onAbort(signal, () => {
      timer ??= setTimeout(done, LEAVING_MS);
    });
  });
  try {
    await Promise.race([work, late]);
  } finally {
    forget();
    clearTimeout(timer);
  }
}
