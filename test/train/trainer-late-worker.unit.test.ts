/** A function that promises a worker, in place of giving one: it is refused, and nothing it promises stays unheard. */

import { expect, it } from "vitest";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { smallNetwork } from "./small-network.ts";

it("a function of a worker that rejects is refused, and its rejection ends no process", async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown) => unheard.push(reason);
  process.on("unhandledRejection", listen);
  try {
    const worker = async () => {
      throw new Error("no worker");
    };
    const making = createTrainer(smallNetwork(), { batch: 4, backend: "wasm", threads: 2, worker });
    await expect(making).rejects.toMatchObject({ code: "OPTION_INVALID", fields: { option: "worker" } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(unheard).toEqual([]);
  } finally {
    process.off("unhandledRejection", listen);
  }
});
