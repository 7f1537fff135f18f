/** Names out of files in messages: cut to a line, and never in the middle of a character. */

import { expect, it } from "vitest";
import { quoted } from "../../src/core/file-error.ts";
import { findGlobal } from "../../src/formats/pytorch/pickle-globals.ts";
import { loadModel, writeSafetensors } from "../../src/weights/index.ts";

const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\\ud[89a-f]/;
/** Wherever it is cut, one of the two is cut between two halves. */
const long = [`${"😀".repeat(300)}`, `x${"😀".repeat(300)}`];

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return String(error);
  }
  return "nothing was thrown";
}

it.each<[string, (name: string) => unknown]>([
  [
    "a tensor",
    (name) => {
      throw new Error(quoted(name));
    },
  ],
  ["a global of a pickle", (name) => findGlobal("os", name, "file")],
  ["an entry of the metadata", (name) => loadModel(writeSafetensors([], { format: "x", alpha: name }))],
])("the name of %s loses no half of a character", async (_, call) => {
  for (const name of long) {
    const message = await messageOf(() => call(name));
    expect(message).toContain("😀…");
    expect(message).not.toMatch(HALF);
    expect(message.length).toBeLessThan(600);
  }
});

it("quotes a list as every other message shows one", () => {
  expect(quoted(Array(20).fill("a"))).toBe('["a", "a", "a", "a", "a", "a", "a", "a", … 12 more]');
});
