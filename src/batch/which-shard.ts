/** Which shard the task of a scheduler is to run: what was asked for, or what its engine says in the environment. */

import { DepthwiseError } from "../core/errors.ts";

export interface WhichShard {
  /** From 0. */
  readonly shard: number;
  readonly shards: number;
  /** Where that is known from, in words. */
  readonly because: string;
}

/** How an engine tells a task of an array which one it is. */
interface Engine {
  readonly name: string;
  readonly index: string;
  readonly count?: string;
  /** The index of the first task, where it need not be 0. */
  readonly least?: string;
  /** What lies between two indices, where it need not be 1. */
  readonly step?: string;
}

const ENGINES: readonly Engine[] = [
  { name: "AWS Batch", index: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE" },
  {
    ...{ name: "Slurm", index: "SLURM_ARRAY_TASK_ID", count: "SLURM_ARRAY_TASK_COUNT" },
    ...{ least: "SLURM_ARRAY_TASK_MIN", step: "SLURM_ARRAY_TASK_STEP" },
  },
  { name: "Cloud Run", index: "CLOUD_RUN_TASK_INDEX", count: "CLOUD_RUN_TASK_COUNT" },
  // Of Indexed Jobs, which tell a pod not how many there are.
  { name: "Kubernetes", index: "JOB_COMPLETION_INDEX" },
];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The shard that an engine assigns; undefined where there is none.
 *
 * @param shards how many there are, where the caller says it
 * @throws {DepthwiseError} `OPTION_INVALID` if the count is missing, differs from `shards` or does not fit the index, if a
 *         variable is no whole number, or if two engines assign one
 */
export function shardOfEnvironment(environment: Environment, shards?: number): WhichShard | undefined {
  const [engine, other] = ENGINES.filter(({ index }) => environment[index] !== undefined);
  if (engine === undefined) return undefined;
  if (other !== undefined) {
    throw refuse(`${engine.index} and ${other.index} are both set`, `Say which shard it is: --shard.`);
  }
  const whole = (name: string | undefined, usual?: number): number | undefined => {
    const text = name === undefined ? undefined : environment[name];
    if (text === undefined) return usual;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw refuse(`${name} is "${text}", which is no whole number`, "Say which shard it is: --shard and --shards.");
  };
  const told = whole(engine.count);
  const count = told ?? shards;
  if (count === undefined) {
    const missing =
      engine.count === undefined ? `${engine.name} does not say` : `${engine.count} is not set, which says`;
    throw refuse(`${missing} how many shards there are`, "Say it: --shards.");
  }
  if (shards !== undefined && told !== undefined && told !== shards) {
    const advice = `Leave --shards away, start ${shards} tasks, or say which shards this one runs: --shard.`;
    throw refuse(`${engine.count} is ${told}, and --shards ${shards}`, advice);
  }
  const [index = 0, least = 0, step = 1] = [whole(engine.index), whole(engine.least), whole(engine.step)];
  const shard = (index - least) / Math.max(step, 1);
  if (Number.isInteger(shard) && shard >= 0 && shard < count) {
    const from = engine.least === undefined || least === 0 ? "" : `, the first being ${least}`;
    return { shard, shards: count, because: `${engine.index}=${index} of ${engine.name}${from}` };
  }
  throw refuse(
    `${engine.index} is ${index}, which is none of the ${count} tasks from ${least} on`,
    "Number the tasks one after the other, or say which shard it is: --shard.",
  );
}

function refuse(what: string, advice: string): DepthwiseError {
  return new DepthwiseError("OPTION_INVALID", { what: `batch: ${what}`, advice });
}
