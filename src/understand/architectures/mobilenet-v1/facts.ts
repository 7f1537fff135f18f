/** What is known of a MobileNet V1, and from where. */

import type { Fact } from "../../../formats/fact.ts";
import type { MobileNetV1Options } from "../../../models/index.ts";

/** Facts by the names of the builder's options. */
export type V1Facts = {
  readonly [Name in keyof MobileNetV1Options]?: Fact<Exclude<MobileNetV1Options[Name], undefined>>;
};
