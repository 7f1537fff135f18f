/** All that the page says, what comes at once and what comes later. */

import { en as enFirst } from "../../examples/playground/src/words/en.ts";
import { enLater } from "../../examples/playground/src/words/en-later.ts";
import { ko as koFirst } from "../../examples/playground/src/words/ko.ts";
import { koLater } from "../../examples/playground/src/words/ko-later.ts";

export const en = { ...enFirst, ...enLater };
export const ko = { ...koFirst, ...koLater };
