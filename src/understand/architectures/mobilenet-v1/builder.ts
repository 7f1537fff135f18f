/** Who builds MobileNet V1. */

import { type MobileNetV1Options, mobileNetV1 } from "../../../models/index.ts";
import { MOBILENET_V1_OPTIONS } from "../../../models/mobilenet-v1/options.ts";
import type { Builder } from "../../architecture.ts";

export const mobileNetV1Builder: Builder = {
  id: "mobilenet_v1",
  title: "MobileNet V1",
  options: MOBILENET_V1_OPTIONS,
  build: (options: MobileNetV1Options) => mobileNetV1<MobileNetV1Options>(options),
};
