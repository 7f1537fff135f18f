/**
 * `npm run make:cifar10`: the network behind `depthwise/models/cifar10`, from random numbers, to the same bytes each time.
 *
 *     npm run data:cifar10 && npm run make:cifar10 [-- --threads 2] [--seed 2 --measure] [--quick]
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { make } from "./make.mjs";
