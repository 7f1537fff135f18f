/** A folder of image files, one folder a class. In Node alone: a page has no folders. */

import { DepthwiseError, listed } from "../../core/errors.ts";
import { checkKnownOptions, optionError, signalOption } from "../../core/options.ts";
import { systemCode } from "../../core/realms.ts";
import { untilAborted } from "../../core/until-aborted.ts";
import { IMAGE_NAME } from "../../images/image-name.ts";
import { type Dataset, datasetOf } from "./dataset.ts";

/** How the folder is read. */
export interface ImageFolderOptions {
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The pictures `directory/CLASS/*.jpg` (JPEG, PNG, WebP, GIF, TIFF, AVIF, by their names). Classes and files are sorted
 * by code units, the same on every machine; names that begin with a dot, other files, and what lies beside the classes'
 * folders are passed over. Nothing is decoded yet.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `CLASSES_MISMATCH` if there are no folders of pictures, or
 *         a folder holds folders of pictures, as `train` and `test` do; `OPTION_INVALID`
 */
export async function imageFolder(directory: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  checkKnownOptions("imageFolder", options, ["signal"]);
  const signal = signalOption("imageFolder", options.signal);
  if (typeof directory !== "string" || directory === "") {
    throw optionError("imageFolder", "directory", "the path of a folder", directory);
  }
  signal?.throwIfAborted();
  return untilAborted(readFolder(directory, signal), signal);
}

async function readFolder(directory: string, signal: AbortSignal | undefined): Promise<Dataset> {
  const { join } = nodePaths();
  const top = await entriesOf(directory);
  const classes: string[] = [];
  const names: string[] = [];
  const labels: number[] = [];
  for (const name of top.folders) {
    signal?.throwIfAborted();
    const { files, folders } = await entriesOf(join(directory, name));
    const pictures = files.filter((file) => IMAGE_NAME.test(file));
    if (pictures.length === 0 && folders.length > 0) throw refuseNested(directory, name, folders);
    for (const file of pictures) {
      names.push(join(name, file));
      labels.push(classes.length);
    }
    classes.push(name);
  }
  if (names.length === 0)
    throw refuseEmpty(directory, classes, top.files.filter((file) => IMAGE_NAME.test(file)).length);
  return datasetOf({
    classes,
    labels: { type: "indices", data: Int32Array.from(labels) },
    imageAt: (index) => join(directory, names[index] ?? ""),
    nameAt: (index) => names[index] ?? "",
  });
}

interface Entries {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/**
 * The names in a folder, sorted; those that begin with a dot are passed over.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export async function entriesOf(directory: string): Promise<Entries> {
  const { readdir, stat } = nodeFolders(directory);
  const { join } = nodePaths();
  const files: string[] = [];
  const folders: string[] = [];
  try {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      // A link that leads nowhere is neither.
      const kind = entry.isSymbolicLink() ? await stat(join(directory, entry.name)).catch(() => entry) : entry;
      if (kind.isDirectory()) folders.push(entry.name);
      else if (kind.isFile()) files.push(entry.name);
    }
  } catch (cause) {
    throw unreadableFolder(directory, cause);
  }
  return { files: files.sort(), folders: folders.sort() };
}

function nodeFolders(directory: string) {
  const files = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:fs/promises");
  if (files !== undefined) return files;
  throw new DepthwiseError("FILE_UNREADABLE", {
    what: `${directory}: folders cannot be read here`,
    advice: "Pass the files themselves: an iterable of { image: file, label }.",
    fields: { directory },
  });
}

function nodePaths() {
  return process.getBuiltinModule("node:path");
}

function unreadableFolder(directory: string, cause: unknown): DepthwiseError {
  const code = systemCode(cause) ?? "unknown";
  const isAbsent = code === "ENOENT";
  const reason = code === "ENOTDIR" ? "it is a file, not a folder" : `the folder cannot be read (${code})`;
  return new DepthwiseError(isAbsent ? "FILE_NOT_FOUND" : "FILE_UNREADABLE", {
    what: isAbsent ? `${directory}: there is no such folder` : `${directory}: ${reason}`,
    advice: "Pass a folder that holds one folder of pictures for each class.",
    fields: { directory },
    cause,
  });
}

function refuseNested(directory: string, name: string, folders: readonly string[]): DepthwiseError {
  return new DepthwiseError("CLASSES_MISMATCH", {
    what: `imageFolder: "${name}" in "${directory}"`,
    expected: "the pictures of one class",
    found: `no picture, but folders: ${listed(folders)}`,
    advice: `If those are the classes, pass "${nodePaths().join(directory, name)}".`,
    fields: { directory, folder: name, folders },
  });
}

function refuseEmpty(directory: string, classes: readonly string[], loose: number): DepthwiseError {
  const beside = loose === 0 ? "" : ` and ${loose.toLocaleString("en-US")} pictures beside them`;
  return new DepthwiseError("CLASSES_MISMATCH", {
    what: `imageFolder: "${directory}"`,
    expected: "one folder of pictures for each class",
    found: classes.length === 0 ? `no folder${beside}` : `no picture in ${listed(classes)}${beside}`,
    advice: "Put the pictures of each class (.jpg, .png, .webp, .gif, .tiff, .avif) into a folder of its name.",
    fields: { directory, classes },
  });
}
