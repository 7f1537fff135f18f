/** Pictures of the page's own. */

import { type Fault, messageOf } from "../fault.ts";

/** A file of the page's folder; undefined where it does not come, and why is told. */
export async function fetched(url: string, onFault: (fault: Fault | undefined) => void): Promise<Blob | undefined> {
  onFault(undefined);
  try {
    const response = await fetch(url);
    if (response.ok) return await response.blob();
    onFault({ code: "PART_MISSING", message: `${response.status} ${response.statusText}` });
  } catch (error) {
    onFault({ code: "PART_MISSING", message: messageOf(error) });
  }
  return undefined;
}
