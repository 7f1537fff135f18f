/** `bench/playground.mjs`: what it writes, and that the server it starts never outlives it. */

import { expect, it } from "vitest";
import { fileOfBench } from "./fixture.ts";

interface Answer {
  readonly browser: string;
  readonly paint: number;
  readonly formulas: number;
  readonly task: number | null;
  readonly gap: number;
  readonly result: string;
}

const { withServer } = await fileOfBench<{
  withServer<T>(mounts: readonly string[], use: (address: string) => Promise<T>): Promise<T>;
}>("harness/server.mjs");
const { playgroundPage } = await fileOfBench<{ playgroundPage(answers: readonly Answer[], visits: number): string }>(
  "playground.mjs",
);

it("the server is there while it is used, and gone when that fails", async () => {
  let seen = "";
  const failing = withServer([], async (address) => {
    seen = address;
    expect((await fetch(`${address}/package.json`)).status).toBe(200);
    throw new Error("no such browser");
  });
  await expect(failing).rejects.toThrow(new Error("no such browser"));
  await expect
    .poll(
      () =>
        fetch(seen).then(
          () => "there",
          () => "gone",
        ),
      { timeout: 10_000 },
    )
    .toBe("gone");
});

it("a server that does not start is an error, and nothing waits for it", async () => {
  const never = withServer(["/page=/no/such/folder"], () => Promise.reject(new Error("used")));
  await expect(never).rejects.toThrow("The server ended (2) before it listened.");
});

it("a browser is a row, and what nobody tells is said", () => {
  const common = { paint: 100, formulas: 200, gap: 30, result: "8.6 times fewer" };
  const page = playgroundPage(
    [
      { ...common, browser: "Chromium 156", task: 0 },
      { ...common, browser: "Chromium 157", task: 61 },
      { ...common, browser: "Firefox 153", task: null },
    ],
    5,
  );
  expect(page).toMatch(/^The worst of 5 visits, /);
  expect(page.split("\n").filter((line) => /^\| [CF]/.test(line))).toEqual([
    "| Chromium 156 | 100 | 200 | none | 30 |",
    "| Chromium 157 | 100 | 200 | 61 | 30 |",
    "| Firefox 153 | 100 | 200 | not told | 30 |",
  ]);
  expect(page).toContain("- Firefox 153: 8.6 times fewer");
});
