/** Where a model is on the network: at an address, in a repository (`hf:`), or among the weights of Keras (`keras:`). */

import { decoded, requestOf, shownAddress } from "../core/address.ts";
import { DepthwiseError } from "../core/errors.ts";
import { quoted } from "../core/file-error.ts";
import { headersFor } from "../core/follow.ts";
import { didYouMean } from "../core/nearest.ts";
import { optionError } from "../core/options.ts";
import { noPlace, relativeParts } from "./model-files.ts";
import { hubOf, type Settings } from "./options.ts";

export interface Address {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RemoteFile {
  readonly name: string;
  /** Of the same file, the first is the one it is kept under. */
  readonly addresses: readonly Address[];
}

export interface RemotePlace {
  /** For messages. */
  readonly name: string;
  /** Whether another model may stand there tomorrow: at an address, unlike under a name of a collection. */
  readonly mayChange: boolean;
  /** What may be the model: the first that exists is. */
  readonly candidates: readonly RemoteFile[];
  /** Where a file beside the chosen one may be, likewise. */
  beside(chosen: number, path: string): readonly RemoteFile[];
}

export function placeOf(type: "hub" | "keras" | "web", text: string, settings: Settings): RemotePlace {
  if (type === "hub") return huggingFacePlace(text, settings);
  if (type === "keras") return kerasPlace(text, settings);
  const name = /^(data|blob):/i.exec(text)?.[0];
  return addressPlace(name ?? shownAddress(text), [text, ...settings.mirrors], settings);
}

/** @param addresses of the same file, the first the one that headers were given for */
function addressPlace(name: string, addresses: readonly string[], settings: Settings): RemotePlace {
  const file = (fileName: string, urls: readonly string[]): RemoteFile => ({
    name: fileName,
    addresses: urls.map((url) => requestTo(url, headersFor(settings.headers, addresses[0] ?? url, url))),
  });
  return {
    name,
    mayChange: true,
    candidates: [file(name, addresses)],
    beside(_chosen, path) {
      const places = addresses.filter(isNetwork);
      if (places.length === 0) throw noPlace(name, path);
      const parts = relativeParts(name, path).map((part) => encodeURIComponent(part));
      const urls = places.map((address) => besides(address, parts));
      return [file(shownAddress(urls[0] ?? name), urls)];
    },
  };
}

/** Unlike `blob:` and `data:`, which have nothing beside them, need no network and are not kept. */
export function isNetwork(url: string): boolean {
  return /^https?:/i.test(url);
}

/** The query stays: it may be the signature of the whole folder. */
function besides(address: string, parts: readonly string[]): string {
  const url = new URL(address);
  url.pathname = url.pathname.replace(/[^/]*$/, parts.join("/"));
  return url.href;
}

/** A user and password in the address become a header, unless the caller has one already. */
function requestTo(address: string, headers: Readonly<Record<string, string>>): Address {
  const { url, authorization } = requestOf(address);
  return { url, headers: authorization === undefined ? headers : { authorization, ...headers } };
}

/** What a repository's model may be called, the best first. */
const CANDIDATES = [
  "model.safetensors",
  "pytorch_model.bin",
  "tf_model.h5",
  "model.keras",
  "model.h5",
  "model.onnx",
  "onnx/model.onnx",
  "model.tflite",
  "model.json",
] as const;

/**
 * A repository, with a file if one is named. A revision with a slash is written with `%2F`.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` if it does not read as a repository
 */
function huggingFacePlace(source: string, settings: Settings): RemotePlace {
  const { mirrors, token, headers } = settings;
  const hubUrl = hubOf(settings);
  const match = /^hf:(?:\/\/)?([\w.-]+)\/([\w.-]+)(?:@([^/#\s]+))?(?:[/#](.+))?$/.exec(source);
  const [, owner, repository, revision = "main", file] = match ?? [];
  if (
    owner === undefined ||
    repository === undefined ||
    /^\.+$/.test(owner) ||
    /^\.+$/.test(repository) ||
    /[\ud800-\udfff]/u.test(source)
  ) {
    throw optionError("source", "repository", "hf:owner/name, hf:owner/name@revision or hf:owner/name/file", source);
  }
  const path = `${owner}/${repository}/resolve/${encodeURIComponent(decoded(revision))}`;
  // The token is the hub's, not a mirror's.
  const hubHeaders = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
  const at = (parts: readonly string[]): RemoteFile => {
    const end = [path, ...parts.map((part) => encodeURIComponent(part))].join("/");
    return {
      name: `hf:${owner}/${repository}/${parts.join("/")}`,
      addresses: [
        requestTo(`${trimmed(hubUrl)}/${end}`, hubHeaders),
        ...mirrors.map((base) => requestTo(`${trimmed(base)}/${end}`, headersFor(headers, hubUrl, base))),
      ],
    };
  };
  const candidates = file === undefined ? CANDIDATES.map((name) => name.split("/")) : [relativeParts(source, file)];
  return {
    name: `hf:${owner}/${repository}`,
    mayChange: false,
    candidates: candidates.map(at),
    beside(chosen, sibling) {
      // `onnx/model.onnx` has its config.json at the top of the repository.
      const folder = (candidates[chosen] ?? []).slice(0, -1);
      const parts = relativeParts(source, sibling);
      return folder.length === 0 ? [at(parts)] : [at([...folder, ...parts]), at(parts)];
    },
  };
}

function trimmed(base: string): string {
  return base.replace(/\/+$/, "");
}

const ALPHAS = ["1_0", "7_5", "5_0", "2_5"] as const;
const RESOLUTIONS = [224, 192, 160, 128] as const;
const TOPS = ["", "_no_top"] as const;

/** All of them: of each α, resolution, with and without classifier. Source: keras/src/applications/mobilenet.py. */
function kerasNames(): readonly string[] {
  return ALPHAS.flatMap((alpha) =>
    RESOLUTIONS.flatMap((resolution) => TOPS.map((top) => `mobilenet_${alpha}_${resolution}_tf${top}`)),
  );
}

/** @throws {DepthwiseError} `NAME_UNKNOWN`, with the nearest name that is known */
function kerasPlace(source: string, settings: Settings): RemotePlace {
  const name = source.replace(/^keras:/, "").replace(/\.h5$/, "");
  const known = kerasNames();
  if (!known.includes(name)) {
    const hint = didYouMean(name, known);
    throw new DepthwiseError("NAME_UNKNOWN", {
      what: `source: Keras has no weights of a MobileNet V1 called ${quoted(name)}`,
      advice: hint === "" ? `Known: ${known.join(", ")}.` : hint,
      fields: { name, known },
    });
  }
  const addresses = [settings.kerasUrl, ...settings.mirrors].map((base) => `${trimmed(base)}/mobilenet/${name}.h5`);
  return { ...addressPlace(`keras:${name}`, addresses, settings), mayChange: false };
}
