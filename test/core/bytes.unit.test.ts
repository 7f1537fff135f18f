import { expect, it } from "vitest";
import { readBytes } from "../../src/core/bytes.ts";

it("a Blob that cannot be read gives a typed error with its cause", async () => {
  const cause = new DOMException("its file is gone", "NotReadableError");
  class Gone extends File {
    override arrayBuffer(): Promise<ArrayBuffer> {
      return Promise.reject(cause);
    }
  }
  await expect(readBytes(new Gone(["x"], "cat.png"), { maxBytes: 9 })).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringContaining("cat.png: "),
    cause,
  });
});
