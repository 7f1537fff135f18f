/** `hf:owner/name@revision/file`: models on huggingface.co, or on a server that speaks as it does. */

import { headersFor } from "../core/follow.ts";
import { optionError } from "../core/options.ts";
import { hubOf, type Settings } from "./options.ts";
import { relativeParts } from "./relative-path.ts";
import type { RemoteFile, RemotePlace } from "./web-address.ts";
import { requestTo } from "./web-address.ts";

/** What a repository's model may be called, the best first. */
const HEADS = [
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
export function huggingFacePlace(source: string, settings: Settings): RemotePlace {
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
  const heads = file === undefined ? HEADS.map((name) => name.split("/")) : [relativeParts(source, file)];
  return {
    name: `hf:${owner}/${repository}`,
    mayChange: false,
    heads: heads.map(at),
    beside(head, sibling) {
      // `onnx/model.onnx` has its config.json at the top of the repository.
      const folder = (heads[head] ?? []).slice(0, -1);
      const parts = relativeParts(source, sibling);
      return folder.length === 0 ? [at(parts)] : [at([...folder, ...parts]), at(parts)];
    },
  };
}

function trimmed(base: string): string {
  return base.replace(/\/+$/, "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
