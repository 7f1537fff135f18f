/** What is needed for some files only: packages of others and parts of the library, loaded when used. */

import { DepthwiseError } from "../core/errors.ts";

/**
 * Loads a package that the user may not have installed.
 *
 * @param load `() => import("name")`, spelled out at the caller so that bundlers see the name
 * @throws {DepthwiseError} `PACKAGE_MISSING`, naming what to install
 */
export async function optionalPackage<Module>(
  name: string,
  purpose: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new DepthwiseError("PACKAGE_MISSING", {
      what: `${purpose} needs the package ${name}, which could not be loaded`,
      advice: `Install it: npm install ${name}`,
      fields: { package: name },
      cause,
    });
  }
}

/**
 * Loads a part of the library that lies in a file of its own.
 *
 * @param load an arrow function with the `import()`, spelled out at the caller so that bundlers see the file
 * @throws {DepthwiseError} `FILE_UNREADABLE`: the page was deployed anew, or the network failed
 */
export async function ownPart<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: "a part of depthwise could not be loaded",
      advice: "In a browser load the page again: the network may have failed, or another version was put in its place.",
      cause,
    });
  }
}
