/** The architectures that files are taken for, asked in this order. A new one is a folder beside this, and a row. */

import type { MobileNetV1Options } from "../../models/index.ts";
import type { Architecture } from "../architecture.ts";
import { mobileNetV1Row } from "./mobilenet-v1/row.ts";

/** Options of all their builders together. */
export type ArchitectureOptions = MobileNetV1Options;

export const ARCHITECTURES: readonly Architecture[] = [mobileNetV1Row];
