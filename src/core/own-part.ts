/** Parts of the library that lie in files of their own, loaded when used. */

import { DepthwiseError } from "./errors.ts";

/**
 * Loads a part of the library. A failure is not kept: the next call asks again, where the engine does.
 *
 * @param part what it is, for the message
 * @param load an arrow function with the `import()`, spelled out at the caller so that bundlers see the file
 * @throws {DepthwiseError} `FILE_UNREADABLE`: the page was deployed anew, a server answers with a page of its own, an
 *         empty script came, or the network failed
 */
export async function ownPart<Module extends object>(part: string, load: () => Promise<Module>): Promise<Module> {
  try {
    const module = await load();
    // What blocks advertisements puts an empty script in the place of one that it does not like.
    if (Object.keys(module).length === 0) throw new Error("the script that came is empty");
    return module;
  } catch (cause) {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `a part of depthwise could not be loaded: ${part}`,
      advice:
        "In a browser load the page again: the network may have failed, or another version was put in its place. " +
        "If it fails again, the files that the bundler wrote beside the page's script are not all served.",
      fields: { part },
      cause,
    });
  }
}
