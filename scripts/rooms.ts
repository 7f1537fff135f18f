/**
 * How the library is cut into files: one a room of `src/`, doors that re-export, and lazy parts that lie apart.
 *
 * A file a room, because bundlers drop a module that nothing uses whole, with all that it names by `import()`; from
 * chunks that doors happen to share they do not (esbuild emitted every reader beside one eager operation). And few
 * files, because Node takes half a millisecond for each.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Plugin } from "esbuild";

/** Paths under `src/` and the file they go to; the first that fits counts. */
const PLACES: readonly (readonly [path: string, file: string])[] = [
  // What training alone has, of whatever room: a page that only runs has none of it.
  ...["train", "plan/training", "backends/training", "kernels/wasm/training"].map((part) => [part, "train"] as const),
  ...["kernels/reference/gradients", "kernels/reference/update"].map((part) => [part, "train"] as const),
  ...["core/cosine", "core/power", "core/counted"].map((part) => [part, "train"] as const),
  // Training and pictures have it, neither of which loads the other.
  ["core/elementary", "elementary"],
  // Runs of shards, which pages have not.
  ["batch", "batch"],
  ["kernels/wasm/similarity", "batch"],
  // Networks that lie in the package: a file each, which no other door has.
  ...["digits", "cifar10"].map((name) => [`pretrained/${name}`, name] as const),
  ["pretrained/stored", "room-weights"],
  ["backends/plain-backend", "plain-backend"],
  ["kernels/js", "plain-backend"],
  ["backends/reference-backend", "reference-backend"],
  ["backends/wide", "wide"],
  ["session/profile", "profile"],
  ["session/remote-session", "remote-session"],
  ["session/connection", "remote-session"],
  ["session/relay", "remote-session"],
  ["kernels/wasm/limit", "profile"],
  // A door of its own, which needs more of the kernels than a session.
  ["backends/wasm/kernel-modules", "kernels"],
  ...["session", "backends"].map((room) => [room, "room-session"] as const),
  ["kernels/wasm", "room-session"],
  ["eager", "room-eager"],
  ["kernels/reference", "room-eager"],
  ["classify", "room-classify"],
  ["images", "room-images"],
  ...["weights", "understand", "formats", "sources"].map((room) => [room, "room-weights"] as const),
  // Nobody but pictures imports it, and they what its door has: the room is its door.
  ["cost", "cost"],
  ["draw", "draw"],
  ["core/markup", "draw"],
  ...["layers", "models", "plan"].map((room) => [room, "room-networks"] as const),
  ...["core", "operations"].map((room) => [room, "room-foundation"] as const),
];

/** Files that sessions load late, and that have copies of what they share with them. */
const OF_SESSIONS = ["remote-session", "plain-backend", "reference-backend", "profile", "wide"];

/** Rooms whose `import()`s are built apart: readers of formats, downloads, caches; label lists; tables of runs, headers of archives. */
const APART = ["weights", "understand", "formats", "sources", "classify", "batch"];

/** Rooms with a door of their own, beside the main one. */
const DOORS = ["layers", "weights", "images"];

const IMPORT = /^(?:import|export) (type )?([^;]*?) from "(\.[^"]+)";/gm;
const LAZY = /import\("(\.[^"]+)"\)/g;

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith(`cli${sep}`))
  .map((file) => join("src", file));

function placeOf(file: string): string {
  const path = relative("src", file).split(sep).join("/");
  const place = PLACES.find(
    ([start]) => path === `${start}.ts` || path.startsWith(start.includes("/") ? start : `${start}/`),
  );
  // A door, or the script of a worker.
  return place?.[1] ?? path;
}

const isDoor = (file: string): boolean => DOORS.some((room) => file === join("src", room, "index.ts"));

/** Under its path, since two formats may have files of one name. */
const lazyName = (file: string): string => relative("src", file).replace(/\.ts$/, "").split(sep).join("-");

/** The lazy parts that lie apart: name and file. */
export const apart: Readonly<Record<string, string>> = Object.fromEntries(lazyParts());

function lazyParts(): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const file of sources.filter((source) => APART.some((room) => source.startsWith(join("src", room) + sep)))) {
    for (const [, target = ""] of readFileSync(file, "utf8").matchAll(LAZY)) {
      const part = join(dirname(file), target);
      const other = parts.get(lazyName(part)) ?? part;
      if (other !== part) throw new Error(`Two lazy parts of one name: ${part} and ${other}.`);
      parts.set(lazyName(part), part);
    }
  }
  return parts;
}

/** The file behind an index, which hands names on and has none of its own. */
function originOf(name: string, file: string): string {
  if (!file.endsWith("index.ts")) return file;
  for (const [, type, list = "", path = ""] of readFileSync(file, "utf8").matchAll(IMPORT))
    if (type === undefined && namesOf(list).includes(name)) return originOf(name, join(dirname(file), path));
  return file;
}

/** The values in the braces of an import or export, by their names where they come from. */
function namesOf(list: string): readonly string[] {
  return list
    .replace(/[{}]/g, "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "))
    .map((name) => name.split(" as ")[0] ?? "");
}

/**
 * Writes an entry for each file of the library, which exports just what others import of it.
 *
 * @returns entries by name
 */
export function writeEntries(folder: string): Readonly<Record<string, string>> {
  const wanted = new Map<string, Map<string, string>>();
  for (const file of sources) {
    const text = readFileSync(file, "utf8");
    const want = (name: string, target: string) => {
      const place = placeOf(target);
      // A door imports nothing, it hands on: so a room exports what its door does.
      if (place === placeOf(file) && !isDoor(file)) return;
      if (place === "room-eager" && file !== join("src", "index.ts")) return;
      const names = wanted.get(place) ?? new Map<string, string>();
      const origin = originOf(name, target);
      const known = names.get(name) ?? origin;
      // A layer and an operation may have one name: then they cannot lie in one file.
      if (known !== origin) throw new Error(`${place}: "${name}" is both of ${known} and of ${origin}`);
      names.set(name, origin);
      wanted.set(place, names);
    };
    for (const [, type, list = "", path = ""] of text.matchAll(IMPORT)) {
      if (type !== undefined) continue;
      for (const name of namesOf(list)) want(name, join(dirname(file), path));
    }
  }
  // What is loaded by `import()` exports all it has.
  const whole: Readonly<Record<string, string>> = {
    "plain-backend": "backends",
    "reference-backend": "backends",
    wide: "backends/wide",
    profile: "session",
    "remote-session": "session",
  };
  mkdirSync(folder, { recursive: true });
  const entries: Record<string, string> = {};
  for (const place of new Set([...wanted.keys(), ...Object.keys(whole)])) {
    // By path, not as a file system lists them: then each file lies beside those of its room, which packs better.
    const names = [...(wanted.get(place) ?? [])].sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
    const lines = names.map(
      ([name, file]) => `export { ${name} } from "${relative(folder, file).split(sep).join("/")}";`,
    );
    const room = whole[place];
    if (room !== undefined)
      lines.unshift(
        `export * from "${relative(folder, join("src", room, `${place}.ts`))
          .split(sep)
          .join("/")}";`,
      );
    const path = join(folder, `${place}.ts`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    entries[place] = path;
  }
  return entries;
}

/** Leaves to other files what belongs to them. */
export function otherRooms(folder: string, of: "rooms" | "doors"): Plugin {
  return {
    name: "other-rooms",
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ kind, importer, path, resolveDir }) => {
        if (kind !== "import-statement" && kind !== "dynamic-import") return undefined;
        const target = relative(process.cwd(), join(resolveDir, path));
        const from = relative(process.cwd(), importer);
        if (kind === "dynamic-import" && Object.values(apart).includes(target))
          return { path: `./readers/${lazyName(target)}.js`, external: true };
        // An entry names what it is made of.
        const here = dirname(from) === folder ? from.replace(/^.*[\\/]|\.ts$/g, "") : placeOf(from);
        const place = placeOf(target);
        // Lazy parts have kernels of their own: shared with the eager operations, a page would load them at once.
        if (place === "room-eager" && here !== place && of === "rooms") return undefined;
        // Nor what lazy parts share with sessions and plans: it would keep those rooms alive where nothing uses them, and
        // for a page that runs esbuild would cut them into more files.
        if (OF_SESSIONS.includes(here) && (place === "room-session" || place === "room-networks")) return undefined;
        if (of === "doors") return { path: `./${place}.js`, external: true };
        return place === here ? undefined : { path: `./${place}.js`, external: true };
      });
    },
  };
}
