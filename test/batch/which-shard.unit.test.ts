import { describe, expect, it } from "vitest";
import { shardOfEnvironment } from "../../src/batch/which-shard.ts";

describe("the shard that an engine assigns", () => {
  it.each<[string, Record<string, string>, number | undefined, number, number]>([
    ["AWS Batch", { AWS_BATCH_JOB_ARRAY_INDEX: "3", AWS_BATCH_JOB_ARRAY_SIZE: "20" }, undefined, 3, 20],
    [
      "Slurm from 1",
      { SLURM_ARRAY_TASK_ID: "1", SLURM_ARRAY_TASK_COUNT: "20", SLURM_ARRAY_TASK_MIN: "1", SLURM_ARRAY_TASK_MAX: "20" },
      ...([undefined, 0, 20] as const),
    ],
    [
      "Slurm from 1, the last",
      { SLURM_ARRAY_TASK_ID: "20", SLURM_ARRAY_TASK_COUNT: "20", SLURM_ARRAY_TASK_MIN: "1" },
      ...([20, 19, 20] as const),
    ],
    [
      "Slurm from 0",
      { SLURM_ARRAY_TASK_ID: "4", SLURM_ARRAY_TASK_COUNT: "5", SLURM_ARRAY_TASK_MIN: "0" },
      undefined,
      4,
      5,
    ],
    [
      "Slurm in steps",
      { SLURM_ARRAY_TASK_ID: "7", SLURM_ARRAY_TASK_COUNT: "3", SLURM_ARRAY_TASK_MIN: "1", SLURM_ARRAY_TASK_STEP: "3" },
      ...([undefined, 2, 3] as const),
    ],
    ["Cloud Run", { CLOUD_RUN_TASK_INDEX: "0", CLOUD_RUN_TASK_COUNT: "1" }, undefined, 0, 1],
    ["Kubernetes", { JOB_COMPLETION_INDEX: "16" }, 17, 16, 17],
  ])("%s", (name, environment, given, shard, shards) => {
    const found = shardOfEnvironment({ PATH: "/bin", ...environment }, given);
    expect(found).toMatchObject({ shard, shards });
    expect(found?.because).toContain(name.split(" ")[0]);
    expect(found?.because).toContain(Object.keys(environment)[0]);
  });

  it("is none where no engine is", () => {
    expect(shardOfEnvironment({ PATH: "/bin" }, 20)).toBeUndefined();
  });

  it.each<[Record<string, string>, number | undefined, RegExp]>([
    [
      { JOB_COMPLETION_INDEX: "3" },
      undefined,
      /Kubernetes does not say how many shards there are\. Say it: --shards\./,
    ],
    [{ SLURM_ARRAY_TASK_ID: "3" }, undefined, /SLURM_ARRAY_TASK_COUNT is not set/],
    [{ AWS_BATCH_JOB_ARRAY_INDEX: "3" }, undefined, /AWS_BATCH_JOB_ARRAY_SIZE is not set/],
    [{ JOB_COMPLETION_INDEX: "3" }, 3, /JOB_COMPLETION_INDEX is 3, which is none of the 3 tasks from 0 on/],
    [{ CLOUD_RUN_TASK_INDEX: "-1", CLOUD_RUN_TASK_COUNT: "3" }, undefined, /CLOUD_RUN_TASK_INDEX is "-1"/],
    [{ CLOUD_RUN_TASK_INDEX: "1.5", CLOUD_RUN_TASK_COUNT: "3" }, undefined, /no whole number/],
    [{ CLOUD_RUN_TASK_INDEX: "", CLOUD_RUN_TASK_COUNT: "3" }, undefined, /no whole number/],
    [
      { CLOUD_RUN_TASK_INDEX: "1", CLOUD_RUN_TASK_COUNT: "3" },
      30,
      /CLOUD_RUN_TASK_COUNT is 3, and --shards 30\. Leave/,
    ],
    [
      { SLURM_ARRAY_TASK_ID: "9", SLURM_ARRAY_TASK_COUNT: "3", SLURM_ARRAY_TASK_MIN: "1" },
      undefined,
      /none of the 3 tasks from 1 on/,
    ],
    [
      { JOB_COMPLETION_INDEX: "3", AWS_BATCH_JOB_ARRAY_INDEX: "3", AWS_BATCH_JOB_ARRAY_SIZE: "4" },
      ...([undefined, /AWS_BATCH_JOB_ARRAY_INDEX and JOB_COMPLETION_INDEX are both set/] as const),
    ],
  ])("%j with --shards %s is refused", (environment, given, words) => {
    expect(() => shardOfEnvironment(environment, given)).toThrow(words);
    expect(() => shardOfEnvironment(environment, given)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});
