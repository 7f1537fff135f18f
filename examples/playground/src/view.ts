/** What every section gets. */

import type { State } from "./state.ts";

export interface ViewProps {
  readonly state: State;
  /** Changes a part of the state, and with it the address. */
  readonly set: (patch: Partial<State>) => void;
}
