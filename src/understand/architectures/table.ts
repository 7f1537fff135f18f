/**
 * The architectures, in the order in which files are taken for them. A new one is a folder beside this, and an
 * entry in each of the three lists, which a house test holds equal.
 */

import type { MobileNetV1Options } from "../../models/index.ts";
import type { Architecture, Builder } from "../architecture.ts";
import { mobileNetV1Builder } from "./mobilenet-v1/builder.ts";
import { mobileNetV1Row } from "./mobilenet-v1/row.ts";

/** Options of all their builders together. */
export type ArchitectureOptions = MobileNetV1Options;

export const ARCHITECTURES: readonly Architecture[] = [mobileNetV1Row];

/** The same rows' builders, apart: a page that only changes networks has nothing that reads files. */
export const BUILDERS: readonly Builder[] = [mobileNetV1Builder];

/** And their ids: a page that only saves has no builder. */
export const ARCHITECTURE_IDS: readonly string[] = ["mobilenet_v1"];
