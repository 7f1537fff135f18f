/** Recipes of examples/many-machines for clusters that no test has: each before the published types of its engine. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { emptyProject, type Project } from "./project.ts";

const SHARDS = 20;
const RECIPES = "node_modules/depthwise/examples/many-machines";

let project: Project;
beforeAll(() => {
  const compiler = `typescript@${manifest.devDependencies.typescript}`;
  const schemas = ["kubernetes-models@4.5.1", "@aws-sdk/client-batch@3.1138.0", "yaml@2.9.1"];
  project = emptyProject("schemas", [compiler, ...schemas]);
});
afterAll(() => project?.[Symbol.dispose]());

const textOf = (recipe: string) => readFileSync(join(project.path, RECIPES, recipe), "utf8");

/** What a compiler says of a value as a literal: unknown words in it are errors. */
function compiled(imports: string, type: string, value: unknown) {
  project.write("literal.ts", `${imports}\nexport const literal: ${type} = ${JSON.stringify(value)};\n`);
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"];
  const { status, output } = project.run("node_modules/.bin/tsc", "--ignoreConfig", ...flags, "literal.ts");
  return { status, output };
}
const GOOD = { status: 0, output: "" };

describe("a Kubernetes Indexed Job", () => {
  const IMPORT = 'import type { IJob } from "kubernetes-models/batch/v1";';
  interface Job {
    readonly spec: {
      readonly completions: number;
      readonly podFailurePolicy: { rules: { action: string; onExitCodes?: { values: number[] } }[] };
      readonly template: { readonly spec: { readonly containers: readonly [{ readonly command: readonly string[] }] } };
    };
  }
  let job: Job;
  beforeAll(() => {
    project.write(
      "job.mjs",
      'import { readFileSync } from "node:fs";\nimport { parse } from "yaml";\nconsole.log(JSON.stringify(parse(readFileSync(process.argv[2], "utf8"))));\n',
    );
    const { status, output } = project.run("node", "job.mjs", join(RECIPES, "kubernetes/job.yaml"));
    expect([status, output]).toEqual([0, expect.stringMatching(/^\{/)]);
    job = JSON.parse(output);
  });

  it("is one by the published schema and types, which refuse what is none", () => {
    project.write(
      "check.mjs",
      'import { Job } from "kubernetes-models/batch/v1";\nnew Job(JSON.parse(process.argv[2])).validate();\n',
    );
    const validated = (value: unknown) => project.run("node", "check.mjs", JSON.stringify(value));
    expect(validated(job)).toEqual(GOOD);
    expect(compiled(IMPORT, "IJob", job)).toEqual(GOOD);
    const wrong = structuredClone(job);
    wrong.spec.podFailurePolicy.rules[1]!.action = "FailShard";
    expect(validated(wrong)).toMatchObject({ status: 1, output: expect.stringMatching(/rules\/1\/action/) });
    const unknown = { ...job, spec: { ...job.spec, backoffLimitPerShard: 2 } };
    expect(compiled(IMPORT, "IJob", unknown).output).toMatch(/backoffLimitPerShard/);
  });

  it("has as many completions as shards, and gives up an index that ended with 42", () => {
    const { completions, podFailurePolicy, template } = job.spec;
    expect(completions).toBe(SHARDS);
    expect(template.spec.containers[0].command).toContain(`--shards=${SHARDS}`);
    expect(podFailurePolicy.rules).toContainEqual(
      expect.objectContaining({ action: "FailIndex", onExitCodes: expect.objectContaining({ values: [42] }) }),
    );
  });
});

describe("an AWS Batch array", () => {
  const IMPORT =
    'import type { RegisterJobDefinitionCommandInput, SubmitJobCommandInput } from "@aws-sdk/client-batch";';

  it("is one by the published types, which refuse what is none", () => {
    const definition = JSON.parse(textOf("aws-batch/job-definition.json"));
    const submitted = JSON.parse(textOf("aws-batch/submit-job.json"));
    expect(compiled(IMPORT, "RegisterJobDefinitionCommandInput", definition)).toEqual(GOOD);
    expect(compiled(IMPORT, "SubmitJobCommandInput", submitted)).toEqual(GOOD);
    expect(submitted).toMatchObject({ jobDefinition: definition.jobDefinitionName, arrayProperties: { size: SHARDS } });
    expect(definition.retryStrategy.evaluateOnExit[0]).toEqual({ onExitCode: "42", action: "EXIT" });
    const wrong = { ...definition, retryStrategy: { evaluateOnExit: [{ onExitCode: "42", action: "STOP" }] } };
    expect(compiled(IMPORT, "RegisterJobDefinitionCommandInput", wrong).output).toMatch(/STOP/);
  });
});
