/** The package as others meet it: its manifest, its doors, what each pulls in and weighs. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { CIFAR10_FILE } from "../../src/pretrained/cifar10-file.ts";
import { DIGITS_FILE } from "../../src/pretrained/digits-file.ts";

const root = resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));
const budgets = JSON.parse(readFileSync(resolve(root, "budgets.json"), "utf8")) as {
  readonly gzipBytes: Record<string, number>;
  readonly allGzipBytes: number;
  readonly sourceLines: number;
};

/** Bundles a snippet as a browser application would; lazy chunks are separate files. */
function bundle(code: string) {
  const { outputFiles, metafile } = buildSync({
    stdin: { contents: code, resolveDir: root, loader: "js" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    splitting: true,
    write: false,
    metafile: true,
    outdir: "out",
    external: Object.keys(manifest.peerDependencies).flatMap((name) => [name, `${name}/*`]),
  });
  const entry = outputFiles.find(({ path }) => path.endsWith("stdin.js"))!;
  const eager = Object.entries(metafile.outputs).find(([path]) => path.endsWith("stdin.js"))![1];
  /** The entry and what it loads at once; with `lazy` what it can load later too. Not what nothing refers to. */
  const reached = (lazy: boolean) => {
    const chunks = new Set<string>();
    const follow = (imports: typeof eager.imports): void => {
      for (const { path, kind, external } of imports) {
        if ((kind === "dynamic-import" && !lazy) || external === true || chunks.has(path)) continue;
        chunks.add(path);
        follow(metafile.outputs[path]?.imports ?? []);
      }
    };
    follow(eager.imports);
    return outputFiles.filter(({ path }) => path === entry.path || [...chunks].some((chunk) => path.endsWith(chunk)));
  };
  const files = reached(false);
  const text = files.map((file) => file.text).join("\n");
  const weigh = (all: readonly { readonly contents: Uint8Array }[]) =>
    all.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
  return { text, gzipBytes: weigh(files), allBytes: weigh(reached(true)) };
}

/** Texts that give away what a bundle holds; each stands in a message or a table of its room. */
const TRACES = {
  "an emitted kernel": "f32-multiply",
  "a weight reader": "data_offsets",
  "label lists": "tench, Tinca tinca",
  "the paper's tables": "Stanford Dogs",
  "a kernel of training": "f32-gradient",
};

describe("the package", () => {
  it("depends on nothing, has no side effects but the workers', and asks for Node 20.19", () => {
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest).toMatchObject({
      sideEffects: ["worker", "session-worker"].flatMap((name) => [`./dist/esm/${name}.js`, `./dist/cjs/${name}.js`]),
      type: "module",
      engines: { node: ">=20.19" },
      license: "MIT",
    });
    expect(Object.keys(manifest.peerDependenciesMeta)).toEqual(Object.keys(manifest.peerDependencies));
  });

  it("has the types of every door by name too, for the resolution of Node 10, which does not look at exports", () => {
    const doors = Object.entries<{ readonly import?: { readonly types: string } }>(manifest.exports).flatMap(
      ([door, { import: esm }]) => (door === "." || esm === undefined ? [] : [[door.slice(2), [esm.types]]]),
    );
    expect(doors.length).toBeGreaterThan(5);
    expect(manifest.typesVersions["*"]).toEqual(Object.fromEntries(doors));
  });

  it("has its doors by name too, for Parcel, which does not look at exports", () => {
    const doors = Object.entries<{ import?: { default: string } }>(manifest.exports).filter(
      ([door, { import: by }]) => door !== "." && by !== undefined,
    );
    expect(manifest.alias).toEqual(Object.fromEntries(doors.map(([door, { import: by }]) => [door, by?.default])));
  });

  it("carries the licence of each package that is built in", () => {
    const notices = readFileSync(resolve(root, "dist/THIRD-PARTY-LICENSES.txt"), "utf8").split("\n----\n");
    expect(notices.length).toBeGreaterThan(5);
    for (const notice of notices) expect(notice).toMatch(/copyright/i);
    const [protobuf] = notices.filter((notice) => notice.startsWith("@bufbuild/protobuf"));
    for (const holder of ["Buf Technologies", "Google Inc", "Apache License"]) expect(protobuf).toContain(holder);
    const tables = notices.filter((notice) => notice.trim().startsWith("hyparquet"));
    expect(tables.map((notice) => notice.trim().split(" ")[0])).toEqual(["hyparquet", "hyparquet-writer"]);
    // One of its files is another's, and says so.
    expect(tables[0]).toContain("Zhipeng Jia");
  });

  it("carries what reads and writes tables apart, and the door of runs alone loads it", () => {
    for (const format of ["esm", "cjs"]) {
      const textsIn = (folder: string) =>
        readdirSync(resolve(root, "dist", format, folder))
          .filter((file) => file.endsWith(".js"))
          .map((file) => [file, readFileSync(resolve(root, "dist", format, folder, file), "utf8")] as const);
      const doors = textsIn(".");
      expect(doors.filter(([, text]) => text.includes("readers/batch-")).map(([file]) => file)).toEqual(["batch.js"]);
      expect(doors.filter(([, text]) => text.includes("dictionary_page"))).toEqual([]);
      const readers = textsIn("readers");
      const holding = readers.filter(([, text]) => text.includes("dictionary_page")).map(([file]) => file);
      expect(holding.length).toBeGreaterThan(0);
      const loading = readers.filter(([, text]) => holding.some((file) => text.includes(`./${file}`)));
      for (const file of [...holding, ...loading.map(([name]) => name)]) expect(file).toMatch(/^(batch|chunk)-/);
    }
  });

  it("has no types that say more than a reader wants: the text of a network is a string", () => {
    for (const folder of ["dist/types", "dist/cjs/types"]) {
      const files = readdirSync(resolve(root, folder), { recursive: true, withFileTypes: true });
      const sizes = files.flatMap((file) => {
        return file.name.endsWith(".d.ts")
          ? [[file.name, statSync(resolve(file.parentPath, file.name)).size] as const]
          : [];
      });
      expect(sizes.length).toBeGreaterThan(100);
      expect(sizes.filter(([, bytes]) => bytes > 50_000)).toEqual([]);
    }
  });

  it("names no free process, for which Parcel would install a package", () => {
    for (const format of ["esm", "cjs"]) {
      for (const file of readdirSync(resolve(root, "dist", format), { recursive: true, encoding: "utf8" })) {
        if (!file.endsWith(".js")) continue;
        const text = readFileSync(resolve(root, "dist", format, file), "utf8");
        expect([file, /(?<!globalThis\.|[\w$."'`])process\??\./.exec(text)?.[0]]).toEqual([file, undefined]);
      }
    }
  });

  it("has the same exports by import and by require", async () => {
    const require = createRequire(import.meta.url);
    for (const door of [
      "depthwise",
      "depthwise/layers",
      "depthwise/cost",
      "depthwise/draw",
      "depthwise/weights",
      "depthwise/images",
      "depthwise/kernels",
      "depthwise/train",
      "depthwise/models/digits",
      "depthwise/models/cifar10",
    ]) {
      const names = `import(${JSON.stringify(door)}).then((m) => console.log(Object.keys(m).sort().join()))`;
      const esm = execFileSync(process.execPath, ["--input-type=module", "-e", names], {
        cwd: root,
        encoding: "utf8",
      }).trim();
      expect(Object.keys(require(door)).sort().join()).toBe(esm);
    }
  });

  it("has doors that re-export by name and run nothing", () => {
    for (const file of readdirSync(resolve(root, "src"), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith("index.ts") || file.startsWith("kernels")) continue;
      const text = readFileSync(resolve(root, "src", file), "utf8")
        .replaceAll(/\/\*[\s\S]*?\*\//g, "")
        .replaceAll(/export (type )?\{[\s\S]*?\} from "[^"]+";/g, "");
      expect([file, text.trim()]).toEqual([file, ""]);
    }
  });

  it("throws errors of one class from every door of one format", async () => {
    const check = `
      import { DepthwiseError } from "depthwise";
      import { readSafetensors } from "depthwise/weights";
      import { cost } from "depthwise/cost";
      for (const call of [() => readSafetensors(new Uint8Array()), () => cost({}, { convention: "x" })]) {
        try { call(); } catch (error) { console.log(error instanceof DepthwiseError); }
      }`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", check], { cwd: root, encoding: "utf8" });
    expect(out).toBe("true\ntrue\n");
  });
});

describe("bundles", () => {
  const snippets: Record<string, string> = {
    "depthwise: compile and run V1":
      'import { compile, mobileNetV1, tensor } from "depthwise"; console.log(compile, mobileNetV1, tensor);',
    "depthwise: one eager operation": 'import { depthwiseConv2d } from "depthwise"; console.log(depthwiseConv2d);',
    "depthwise: everything": 'import * as all from "depthwise"; console.log(all);',
    "depthwise/cost": 'import { cost } from "depthwise/cost"; console.log(cost);',
    "depthwise/draw": 'import * as all from "depthwise/draw"; console.log(all);',
    "depthwise/layers": 'import * as all from "depthwise/layers"; console.log(all);',
    "depthwise/weights": 'import * as all from "depthwise/weights"; console.log(all);',
    "depthwise/images": 'import * as all from "depthwise/images"; console.log(all);',
    "depthwise/kernels": 'import * as all from "depthwise/kernels"; console.log(all);',
    "depthwise/train: single steps":
      'import { createTrainer, sgd } from "depthwise/train"; console.log(createTrainer, sgd);',
    "depthwise/train": 'import * as all from "depthwise/train"; console.log(all);',
    "depthwise/models/digits": 'import { digits } from "depthwise/models/digits"; console.log(digits);',
    "depthwise/models/cifar10": 'import { cifar10 } from "depthwise/models/cifar10"; console.log(cifar10);',
  };
  const bundles = Object.fromEntries(Object.entries(snippets).map(([name, code]) => [name, bundle(code)]));

  it("weigh no more than their budgets", () => {
    console.log(
      Object.entries(bundles)
        .map(([name, { gzipBytes }]) => `${name}: ${gzipBytes} bytes gzip`)
        .join("\n"),
    );
    expect(Object.keys(budgets.gzipBytes).sort()).toEqual(Object.keys(snippets).sort());
    for (const [name, { gzipBytes }] of Object.entries(bundles))
      expect([name, gzipBytes <= budgets.gzipBytes[name]!]).toEqual([name, true]);
  });

  it("that run V1 weigh no more than their budget with the worker and every lazy chunk", () => {
    const page = bundle('import { compile, mobileNetV1 } from "depthwise"; console.log(compile, mobileNetV1);');
    const worker = bundle('import "depthwise/worker";');
    const bytes = page.allBytes + worker.allBytes;
    console.log(`depthwise: compile and run V1, worker and every lazy chunk: ${bytes} bytes gzip`);
    expect(worker.gzipBytes).toBeGreaterThan(400);
    expect(bytes).toBeLessThanOrEqual(budgets.allGzipBytes);
  });

  it.each(["depthwise: compile and run V1", "depthwise: one eager operation"])(
    "%s holds no reader, no labels, no tables, no training",
    (name) => {
      for (const trace of ["a weight reader", "label lists", "the paper's tables", "a kernel of training"] as const)
        expect([trace, bundles[name]!.text.includes(TRACES[trace])]).toEqual([trace, false]);
    },
  );

  it("of the cost door hold no kernel and no reader", () => {
    expect(bundles["depthwise/cost"]!.text).not.toContain(TRACES["a weight reader"]);
    expect(bundles["depthwise/cost"]!.text).not.toContain(TRACES["an emitted kernel"]);
    expect(bundles["depthwise: compile and run V1"]!.text).toContain(TRACES["an emitted kernel"]);
    // Only loops of a backend take memory for sums in float64; those of the plain one are fetched when it is chosen.
    for (const name of ["depthwise/cost", "depthwise: compile and run V1"])
      expect(bundles[name]!.text).not.toMatch(/new Float64Array\(2\*/);
    expect(bundles["depthwise: one eager operation"]!.text).toMatch(/new Float64Array\(/);
  });

  it("hold a network of the package only by its own door", () => {
    for (const [network, file] of Object.entries({ digits: DIGITS_FILE, cifar10: CIFAR10_FILE })) {
      const piece = file.slice(file.length / 2, file.length / 2 + 60);
      expect(piece).toHaveLength(60);
      const holding = Object.keys(bundles).filter((name) => bundles[name]!.text.includes(piece));
      expect(holding).toEqual([`depthwise/models/${network}`]);
    }
  });

  it("of weights do hold the reader: the traces are right", () => {
    expect(bundles["depthwise/weights"]!.text).toContain(TRACES["a weight reader"]);
  });

  it("hold nothing of archives, whose headers a part of its own reads for runs of shards", () => {
    const trace = "invalid base256";
    for (const { text } of Object.values(bundles)) expect(text).not.toContain(trace);
    for (const format of ["esm", "cjs"]) {
      const texts = ["batch", "readers/batch-tar-package"].map((file) =>
        readFileSync(resolve(root, "dist", format, `${file}.js`), "utf8"),
      );
      expect(texts.map((text) => text.includes(trace))).toEqual([false, true]);
    }
  });

  it("need no module of Node", () => {
    for (const { text } of Object.values(bundles)) expect(text).not.toMatch(/from"node:|import\("node:|require\(/);
  });
});

it("src has no more lines than its budget", () => {
  const files = readdirSync(resolve(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const lines = files.reduce(
    (sum, file) => sum + readFileSync(resolve(root, "src", file), "utf8").split("\n").length - 1,
    0,
  );
  console.log(`src: ${lines} lines in ${files.length} files`);
  expect(lines).toBeLessThanOrEqual(budgets.sourceLines);
});
