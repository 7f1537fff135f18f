import { afterEach, describe, expect, it, vi } from "vitest";
import { filePath, locate, requestOf, shownAddress } from "../../src/core/address.ts";

describe("an address is shown", () => {
  it.each([
    ["https://example.com/a/b.bin", "https://example.com/a/b.bin"],
    ["https://me:pw@example.com:8443/a?x=1#pw", "https://example.com:8443/a?x=1"],
    ["  https://me:pw@example.com/a", "https://example.com/a"],
    ["https:me:pw@example.com/a", "https://example.com/a"],
    ["http:me:pw@example.com/a", "http://example.com/a"],
    ["  https:me:pw@example.com/a", "https://example.com/a"],
    ["xhttps:me:pw@example.com/a", "xhttps:me:pw@example.com/a"],
    ["http://me:p@w@[::1", "http://…@[::1"],
    ["http://[::1", "http://[::1"],
    ["http://me:pw/x@host:99999/", "http://…@host:99999/"],
    ["ftp://me:pw@host/x", "ftp://host/x"],
    ["https://h/m?id=7&download=true", "https://h/m?id=7&download=true"],
    ["https://h/m?id=7&api_key=s&X&sig=", "https://h/m?id=7&api_key=…&X&sig="],
    [
      "https://h/m?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb&X-Amz-Expires=60&X-Amz-Signature=ab",
      "https://h/m?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&X-Amz-Expires=60&X-Amz-Signature=…",
    ],
    [`https://h/m?q=${"x".repeat(21)};r=1`, "https://h/m?q=…;r=1"],
    [`https://h/m?${"x".repeat(50)}`, `https://h/m?${"x".repeat(19)}…`],
    ["data:image/png;base64,AAAA", "data:image/png;base64…"],
    [`data:${"x".repeat(60)}`, `data:${"x".repeat(35)}…`],
    ["  data:,secret", "data:…"],
    ["xdata:,x", "xdata:,x"],
    ["blob:https://h/1-2", "blob:https://h/1-2"],
    ["photos/me:pw@2x.jpg", "photos/me:pw@2x.jpg"],
    ["C:\\photos\\cat@2x.jpg?token=1", "C:\\photos\\cat@2x.jpg?token=1"],
    ["file:///a/b@2x.jpg", "file:///a/b@2x.jpg"],
    ["file:///a?token=1#2", "file:///a?token=1#2"],
    ["", ""],
  ])("%s", (address, shown) => {
    expect(shownAddress(address)).toBe(shown);
  });

  it("in time that grows with its length, and in a few hundred letters", () => {
    for (const part of [":", "@", ":/", "?", "&a=", ";", " ", "//"]) {
      // Of the processor, not the clock.
      const start = process.cpuUsage();
      for (const head of ["http://[", "http://h/?", "x://"]) {
        expect(shownAddress(head + part.repeat(200_000)).length).toBeLessThan(500);
      }
      const { user, system } = process.cpuUsage(start);
      expect((user + system) / 1000).toBeLessThan(5000);
    }
  });
});

describe("a request of an address", () => {
  it.each([
    ["http://h/a?b#c", "http://h/a?b#c", undefined],
    ["http://me@h/", "http://h/", "me:"],
    ["http://:pw@h/", "http://h/", ":pw"],
    ["http://me:p%3Aw%zz@h/a", "http://h/a", "me:p%3Aw%zz"],
    ["http://%F0%9F%8E%88:p%40@h/", "http://h/", "🎈:p@"],
  ])("%s has its user and password in a header", (address, url, pair) => {
    const authorization = pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString("base64")}`;
    expect(requestOf(address)).toEqual({ url, authorization });
  });

  it("has one of any length", () => {
    expect(requestOf(`http://${"x".repeat(500_000)}@h/`).authorization).toHaveLength(6 + Math.ceil(500_001 / 3) * 4);
  });
});

describe("an address in a page", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("is relative to it, and one within a name is none", () => {
    vi.stubGlobal("location", { href: "https://h/a/page.html" });
    expect(locate("model.bin", "a path", false)).toEqual(new URL("https://h/a/model.bin"));
    expect(locate("a/file:b", "a path", true)).toBe("a/file:b");
  });

  it.each([undefined, {}])("of a file is its path as it stands, where process is %j", (process) => {
    const url = new URL("file:///a/b%20c");
    vi.stubGlobal("process", process);
    const found = filePath(url);
    vi.unstubAllGlobals();
    expect(found).toBe("/a/b%20c");
  });
});
