/** What is needed for some files only: packages of others, loaded when used. */

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
