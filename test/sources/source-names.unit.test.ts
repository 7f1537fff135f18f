import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listCache } from "../../src/sources/index.ts";
import {
  type Act,
  cutAt,
  file,
  type MisbehavingServer,
  someBytes,
  startServer,
  status,
} from "../fixtures/misbehaving-server.ts";
import { opener, temporaryFolder } from "../fixtures/source-tools.ts";

const bytes = someBytes(1000);
const config = someBytes(100, 2);

let server: MisbehavingServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
});

const open = (source: string, options = {}) =>
  opener().open(source, { hubUrl: server.url, kerasUrl: server.url, ...options });
const paths = () => server.asked.map(({ path }) => path);

describe("a Hugging Face name", () => {
  it("gives model.safetensors, with its config beside it", async () => {
    server.on("/google/mobilenet_v1_1.0_224/resolve/main/model.safetensors", file(bytes));
    server.on("/google/mobilenet_v1_1.0_224/resolve/main/config.json", file(config));
    const opened = await open("hf:google/mobilenet_v1_1.0_224");
    expect(opened.name).toBe("hf:google/mobilenet_v1_1.0_224/model.safetensors");
    expect(opened.bytes).toEqual(bytes);
    expect(await opened.sibling("config.json")).toEqual(config);
    await expect(opened.sibling("preprocessor_config.json")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(opened.sibling("../../other/model.safetensors")).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });

  it("gives the next file where one is missing", async () => {
    server.on("/o/n/resolve/main/tf_model.h5", file(bytes));
    expect((await open("hf:o/n")).name).toBe("hf:o/n/tf_model.h5");
    expect(paths()).toEqual(
      ["model.safetensors", "pytorch_model.bin", "tf_model.h5"].map((name) => `/o/n/resolve/main/${name}`),
    );
  });

  it("does not go on where one cannot be had for another reason", async () => {
    server.on("/o/n/resolve/main/model.safetensors", status(401));
    server.on("/o/n/resolve/main/pytorch_model.bin", file(bytes));
    await expect(open("hf:o/n")).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/answered 401 Unauthorized\. .* token for Hugging Face\.$/),
    });
    expect(paths()).toHaveLength(1);
  });

  it("lists all that was tried when there is none", async () => {
    await expect(open("hf:o/n")).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringMatching(
        /^hf:o\/n: none of 9 addresses has it: .*onnx\/model\.onnx: the server answered 404/,
      ),
    });
  });

  it.each([
    ["hf:o/n@v1.0", "/o/n/resolve/v1.0/model.safetensors"],
    ["hf:o/n@refs%2Fpr%2F1", "/o/n/resolve/refs%2Fpr%2F1/model.safetensors"],
    ["hf:o/n#sub/m.onnx", "/o/n/resolve/main/sub/m.onnx"],
    ["hf:o/n/sub/m 1.onnx", "/o/n/resolve/main/sub/m%201.onnx"],
    ["hf:o/n@abc/m.onnx", "/o/n/resolve/abc/m.onnx"],
    ["hf://o/n@abc#m.onnx", "/o/n/resolve/abc/m.onnx"],
  ])("may name a revision and a file: %s", async (source, path) => {
    server.on(path, file(bytes));
    expect((await open(source)).bytes).toEqual(bytes);
    expect(paths()).toEqual([path]);
  });

  it("finds the config of a file in a folder at the top of the repository", async () => {
    server.on("/o/n/resolve/main/onnx/model.onnx", file(bytes));
    server.on("/o/n/resolve/main/config.json", file(config));
    const opened = await open("hf:o/n/onnx/model.onnx");
    expect(await opened.sibling("config.json")).toEqual(config);
  });

  it.each(["hf:", "hf:name", "hf:o/", "hf:/n", "hf:../n", "hf:o/..", "hf:o/n@", "hf:o n/m"])(
    "%j is none",
    async (source) => {
      await expect(open(source)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    },
  );

  it.each(["hf:o/n/../x", "hf:o/n#/etc/x", "hf:o/n/a//b"])("%j climbs or is absolute", async (source) => {
    await expect(open(source)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    expect(paths()).toEqual([]);
  });

  it("sends its token to the hub and to no mirror, of which it takes the address of the hub", async () => {
    await using mirror = await startServer();
    mirror.on("/o/n/resolve/main/m.onnx", file(bytes));
    const options = { token: "secret", headers: { "x-more": "1" }, mirrors: [`${mirror.url}/`] };
    expect((await open("hf:o/n/m.onnx", options)).bytes).toEqual(bytes);
    expect(server.asked[0]?.headers).toMatchObject({ authorization: "Bearer secret", "x-more": "1" });
    expect(mirror.asked[0]?.headers.authorization).toBeUndefined();
    expect(mirror.asked[0]?.headers["x-more"]).toBeUndefined();
  });

  it("is looked for at HF_ENDPOINT", async () => {
    vi.stubEnv("HF_ENDPOINT", `${server.url}/hub/`);
    server.on("/hub/o/n/resolve/main/m.onnx", file(bytes));
    expect((await opener().open("hf:o/n/m.onnx")).bytes).toEqual(bytes);
    vi.stubEnv("HF_ENDPOINT", "");
    await expect(opener().open("hf:o/n", { offline: true })).rejects.toMatchObject({
      fields: { urls: expect.arrayContaining(["https://huggingface.co/o/n/resolve/main/model.safetensors"]) },
    });
  });

  it("is found in the cache whatever the file is called, and offline", async () => {
    await using folder = await temporaryFolder();
    server.on("/o/n/resolve/main/pytorch_model.bin", file(bytes));
    server.on("/o/n/resolve/main/config.json", file(config));
    const first = await open("hf:o/n", { cache: folder.path });
    await first.sibling("config.json");
    const asked = server.asked.length;
    for (const offline of [false, true]) {
      const again = await open("hf:o/n", { cache: folder.path, offline });
      expect([again.name, again.bytes]).toEqual([first.name, bytes]);
      expect(await again.sibling("config.json")).toEqual(config);
    }
    expect(server.asked).toHaveLength(asked);
    const offline = await open("hf:o/n", { cache: folder.path, offline: true });
    await expect(offline.sibling("other.json")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

describe("a Keras name", () => {
  const forms = ["1_0", "7_5", "5_0", "2_5"].flatMap((alpha) =>
    [224, 192, 160, 128].flatMap((size) => ["", "_no_top"].map((top) => `mobilenet_${alpha}_${size}_tf${top}`)),
  );

  it.each(forms)("keras:%s has its address", async (name) => {
    server.on(`/mobilenet/${name}.h5`, file(bytes));
    const opened = await open(`keras:${name}`);
    expect([opened.name, opened.bytes]).toEqual([`keras:${name}`, bytes]);
  });

  it("is looked for where Keras keeps them, or on a mirror of that", async () => {
    await expect(opener().open("keras:mobilenet_1_0_224_tf.h5", { offline: true })).rejects.toMatchObject({
      fields: {
        urls: ["https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/mobilenet_1_0_224_tf.h5"],
      },
    });
    server.on("/copy/mobilenet/mobilenet_1_0_224_tf.h5", file(bytes));
    const opened = await open("keras:mobilenet_1_0_224_tf", { mirrors: [`${server.url}/copy/`] });
    expect(opened.bytes).toEqual(bytes);
  });

  it.each([
    ["keras:mobilenet_1_0_244_tf", 'Did you mean "mobilenet_1_0_224_tf"?'],
    ["keras:mobilenet_2_5_128_no_top", 'Did you mean "mobilenet_2_5_128_tf_no_top"?'],
    ["keras:resnet", "Known: mobilenet_1_0_224_tf"],
    ["keras:", "Known: mobilenet_1_0_224_tf"],
  ])("%s is unknown", async (source, advice) => {
    await expect(open(source)).rejects.toMatchObject({
      code: "NAME_UNKNOWN",
      message: expect.stringContaining(advice),
    });
  });
});

describe("addresses without a network", () => {
  it("data: and blob: are read, also offline, and are not kept", async () => {
    await using folder = await temporaryFolder();
    const blob = URL.createObjectURL(new Blob([bytes]));
    const data = `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`;
    for (const source of [blob, data]) {
      const opened = await opener().open(source, { cache: folder.path });
      expect(opened.bytes).toEqual(bytes);
      expect((await opener().open(source, { offline: true })).bytes).toEqual(bytes);
      expect(opened.name.length).toBeLessThan(10);
      await expect(opened.sibling("x")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    }
    expect(await listCache({ cache: folder.path })).toEqual([]);
    URL.revokeObjectURL(blob);
  });

  it("web addresses are refused offline, naming what is missing", async () => {
    const url = server.on("/m.bin", file(bytes) satisfies Act);
    await expect(opener().open(url, { offline: true })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: `${url}: it is not in the cache, and offline: true forbids to fetch it. Load it once without offline, or download the file and pass its path.`,
    });
    expect(paths()).toEqual([]);
  });
});

describe("a browser's page", () => {
  it("is what a bare name is relative to", async () => {
    server.on("/models/m.bin", file(bytes));
    vi.stubGlobal("location", new URL(`${server.url}/models/page.html`));
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    try {
      expect((await opener().open("m.bin")).name).toBe(`${server.url}/models/m.bin`);
    } finally {
      vi.restoreAllMocks();
      vi.unstubAllGlobals();
    }
  });

  it("sends no header that a foreign server would first be asked about", async () => {
    const large = someBytes(100_000);
    const url = server.on("/m.bin", file(large, { stallAfter: 40_000 }), file(large));
    vi.stubGlobal("location", new URL("https://elsewhere.example/page.html"));
    try {
      expect((await opener().open(url, { onProgress: cutAt(server, 40_000) })).bytes).toHaveLength(large.length);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(server.asked[1]?.headers).toMatchObject({ range: "bytes=40000-" });
    expect(server.asked[1]?.headers["if-range"]).toBeUndefined();
  });
});
