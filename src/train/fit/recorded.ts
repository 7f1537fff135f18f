/** What a checkpoint says of the run that it is of: all that the numbers depend on, as plain data. */

import { ARITHMETIC } from "../../backends/training/arithmetic.ts";
import { DepthwiseError, listed } from "../../core/errors.ts";
import { isObject } from "../../core/json.ts";
import { show } from "../../core/options.ts";
import type { Network } from "../../layers/network.ts";
import { chooseTraining } from "../create-trainer.ts";
import { labelOf } from "../data/check-dataset.ts";
import type { Dataset } from "../data/index.ts";
import { hashOf, hashOfText } from "./hash.ts";
import type { PreparedRun } from "./prepared.ts";

/** As JSON holds it: nothing in it is undefined. */
export type RunRecord = Readonly<
  Record<"model" | "arithmetic" | "data" | "options", Readonly<Record<string, unknown>>>
>;

export function recordOf({ model, options, data, validation, batch, schedule }: PreparedRun): RunRecord {
  const { trainer, augment, input, average, patience, validation: given } = options;
  const { backend, simd } = chooseTraining(trainer);
  const trained = [...model.parameterInfo.values()].filter((info) => info.trainable && trainer.trains(info));
  const record: RunRecord = {
    model: {
      name: model.name,
      architecture: model.info.architecture,
      inputShape: model.inputShape,
      classes: options.classes,
      parameters: Object.fromEntries([...model.parameterInfo].map(([name, { shape }]) => [name, shape.join("×")])),
      hash: structureHash(model),
    },
    // Wide registers compute the bits of relaxed SIMD.
    arithmetic: {
      version: ARITHMETIC,
      backend,
      ...(backend === "wasm" ? { simd: simd === "plain" ? "plain" : "relaxed" } : {}),
    },
    data: {
      ...dataRecord(data),
      ...(validation === undefined ? {} : { validation: dataRecord(validation) }),
      ...(typeof given === "number" ? { share: given } : {}),
    },
    options: {
      batch,
      accumulate: trainer.accumulate,
      seed: trainer.seed,
      optimizer: trainer.optimizer,
      schedule,
      clipNorm: trainer.clipNorm,
      averageDecay: trainer.averageDecay,
      average,
      labelSmoothing: trainer.labelSmoothing,
      batchNorm: { momentum: trainer.momentum, variance: trainer.variance, frozen: trainer.isFrozen },
      augment,
      preprocessing: { ...input, mean: input.mean, deviation: input.deviation },
      best: patience !== undefined,
      // Those that change, with what is their own.
      parameters: Object.fromEntries(
        trained.map((info) => [info.name, { decay: trainer.decay(info), rateFactor: trainer.rateFactor(info) }]),
      ),
    },
  };
  return JSON.parse(JSON.stringify(record)) as RunRecord;
}

/** Of layers, shapes and outputs; not of numbers, which a checkpoint replaces. */
function structureHash({ inputShape, layers, outputs, parameterInfo }: Network): string {
  return hashOfText(JSON.stringify([inputShape, layers, outputs, [...parameterInfo.values()]]));
}

function dataRecord(data: Dataset): Readonly<Record<string, unknown>> {
  const { size, classes, labelType } = data;
  return {
    size,
    classes: classes.length,
    names: hashOfText(JSON.stringify(classes)),
    labels: labelHash(data, labelType),
  };
}

/** Which example is of which class: another order, or other labels, would be another run. */
function labelHash(data: Dataset, type: Dataset["labelType"]): string {
  if (type === "indices") {
    const all = Float64Array.from({ length: data.size }, (_, index) => Number(labelOf(data, index)));
    return hashOf(new Uint8Array(all.buffer));
  }
  // Row by row: all shares together may be many.
  const rows = Array.from({ length: data.size }, (_, index) => {
    const label = labelOf(data, index);
    return typeof label === "number" ? String(label) : hashOf(new Uint8Array(Float32Array.from(label).buffer));
  });
  return hashOfText(rows.join());
}

/**
 * Refuses a checkpoint of another run.
 *
 * @throws {DepthwiseError} `CHECKPOINT_MISMATCH`, with all differences
 */
export function checkSameRun(where: string, then: unknown, now: RunRecord): void {
  const differences = differencesOf(then, now);
  if (differences.length === 0) return;
  const all = (path: string) => differences.every((difference) => difference.startsWith(path));
  const advice = all("arithmetic.version")
    ? "Another version of the library rounds otherwise: go on with that one, or begin anew elsewhere from its model.safetensors."
    : all("arithmetic")
      ? "Other SIMD rounds otherwise: pass the backend and simd of the checkpoint, or begin anew elsewhere from its model.safetensors."
      : "Pass what it was begun with, or begin anew elsewhere, if you like from its model.safetensors.";
  throw new DepthwiseError("CHECKPOINT_MISMATCH", {
    what: `fit: the checkpoint in ${where} is of another run: ${listed(differences, "; ")}`,
    advice,
    fields: { where, differences },
  });
}

/** Each as `path: then, now`. */
export function differencesOf(then: unknown, now: unknown, path = ""): string[] {
  if (isObject(then) && isObject(now)) {
    const keys = [...new Set([...Object.keys(then), ...Object.keys(now)])];
    return keys.flatMap((key) => differencesOf(own(then, key), own(now, key), path === "" ? key : `${path}.${key}`));
  }
  if (JSON.stringify(then) === JSON.stringify(now)) return [];
  return [`${path}: ${said(then)} then, ${said(now)} now`];
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function said(value: unknown): string {
  if (value === undefined) return "none";
  return isObject(value) ? JSON.stringify(value).slice(0, 100) : show(value);
}
