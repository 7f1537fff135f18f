/** How far a run of shards is: a bar on a terminal, else a line of JSON every ten seconds. */

import { type PartStats, type RunDescription, shardRows } from "../batch/index.ts";
import { canDrawBars, printAside, progressBar } from "./print.ts";

const EVERY_MS = 10_000;

export interface BatchProgress {
  update(shard: number, done: number, errors: number): void;
  done(stats: PartStats): void;
  stop(): void;
}

export function batchProgress(shards: readonly number[], run: RunDescription, isJson: boolean): BatchProgress {
  const total = shards.reduce((sum, shard) => sum + shardRows(run, shard), 0);
  const started = performance.now();
  /** Of shards that are on their way. */
  const under = new Map<number, { readonly done: number; readonly errors: number }>();
  let finished = { parts: 0, done: 0, errors: 0 };
  const now = () => {
    let { done, errors } = finished;
    for (const one of under.values()) [done, errors] = [done + one.done, errors + one.errors];
    return { parts: finished.parts, done, errors };
  };
  const isBar = !isJson && canDrawBars();
  const bar = isBar ? progressBar("{bar} {value}/{total} {name}") : undefined;
  const line = () => {
    const { parts, done, errors } = now();
    const seconds = Math.round((performance.now() - started) / 1000);
    const picturesPerSecond = seconds === 0 ? 0 : Math.round((10 * done) / seconds) / 10;
    printAside([JSON.stringify({ seconds, parts, shards: shards.length, done, total, errors, picturesPerSecond })]);
  };
  const timer = isBar ? undefined : setInterval(line, EVERY_MS);
  timer?.unref();
  const draw = () => {
    const { done, errors } = now();
    bar?.update(done, total, errors === 0 ? "" : `${errors} errors`);
  };
  draw();
  return {
    update(shard, done, errors) {
      under.set(shard, { done, errors });
      draw();
    },
    done({ shard, rows, errors }) {
      under.delete(shard);
      const count = Object.values(errors).reduce((sum, each) => sum + each, 0);
      finished = { parts: finished.parts + 1, done: finished.done + rows, errors: finished.errors + count };
      draw();
    },
    stop() {
      clearInterval(timer);
      bar?.stop();
    },
  };
}
