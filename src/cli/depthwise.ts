#!/usr/bin/env node
/** What is run as `depthwise`: keeps what the engine compiles of the command, where it can, and then loads that. */

import * as module from "node:module";

const { enableCompileCache } = module as { readonly enableCompileCache?: () => unknown };
// Of Node 22.1 and later. It refuses by what it returns, and heeds NODE_DISABLE_COMPILE_CACHE.
enableCompileCache?.();
await import("./main.ts");
