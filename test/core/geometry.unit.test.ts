/** Windows over images: sizes and pads by hand, and by what holds for all of them. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layWindow, type Padding, type WindowAttributes, windowAttributes } from "../../src/core/window.ts";

const attributes = (kernel: number, stride: number, dilation: number, padding: Padding): WindowAttributes =>
  windowAttributes("layer", kernel, { stride, dilation, padding });
const pads = (top: number, bottom: number, left = top, right = bottom) =>
  [
    [top, bottom],
    [left, right],
  ] as const;

describe("a window", () => {
  it.each<
    [
      side: number,
      kernel: number,
      stride: number,
      dilation: number,
      Padding,
      output: number,
      before: number,
      after: number,
    ]
  >([
    [224, 3, 2, 1, "same", 112, 0, 1],
    [225, 3, 2, 1, "same", 113, 1, 1],
    [7, 3, 1, 1, "same", 7, 1, 1],
    [7, 2, 1, 1, "same", 7, 0, 1],
    [7, 4, 1, 1, "same", 7, 1, 2],
    [7, 3, 1, 4, "same", 7, 4, 4],
    [5, 1, 3, 1, "same", 2, 0, 0],
    [4, 1, 2, 1, "same", 2, 0, 0],
    [1, 3, 2, 1, "same", 1, 1, 1],
    [7, 3, 1, 1, "valid", 5, 0, 0],
    [7, 3, 2, 1, "valid", 3, 0, 0],
    [8, 3, 2, 1, "valid", 3, 0, 0],
    [7, 3, 1, 3, "valid", 1, 0, 0],
    [3, 3, 5, 1, "valid", 1, 0, 0],
    [224, 3, 2, 1, pads(0, 1), 112, 0, 1],
    [224, 3, 2, 1, pads(1, 1), 112, 1, 1],
    [1, 3, 1, 1, pads(1, 1), 1, 1, 1],
    [1, 3, 1, 1, pads(2, 0), 1, 2, 0],
  ])(
    "over %d pixels, kernel %d, stride %d, dilation %d, padding %j",
    (side, kernel, stride, dilation, padding, output, before, after) => {
      const found = layWindow("layer", attributes(kernel, stride, dilation, padding), [side, side]);
      expect(found).toEqual({
        kernel: [kernel, kernel],
        stride: [stride, stride],
        dilation: [dilation, dilation],
        input: [side, side],
        output: [output, output],
        padding: [
          [before, after],
          [before, after],
        ],
      });
    },
  );

  it("is laid along each axis by itself", () => {
    const both = windowAttributes("layer", [3, 5], { stride: [1, 2], dilation: [2, 1], padding: pads(0, 1, 2, 3) });
    expect(layWindow("layer", both, [9, 10])).toMatchObject({
      input: [9, 10],
      output: [6, 6],
      padding: pads(0, 1, 2, 3),
    });
    const same = windowAttributes("layer", [3, 5], { stride: [1, 2], dilation: [2, 1] });
    expect(layWindow("layer", same, [9, 10])).toMatchObject({ output: [9, 5], padding: pads(2, 2, 1, 2) });
  });

  it("padded the same has an output for each stride, and pads at both sides but for one pixel", () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, size, size, (side, kernel, stride, dilation) => {
        const { output, padding } = layWindow("layer", attributes(kernel, stride, dilation, "same"), [side, side]);
        const [before, after] = padding[0];
        expect(output[0]).toBe(Math.ceil(side / stride));
        expect([0, 1]).toContain(after - before);
        expect(before).toBeGreaterThanOrEqual(0);
        // The last window ends in the padding, and would not fit into less of it, if there is any.
        const end = (side_: number) => (side_ - 1) * stride + (kernel - 1) * dilation + 1;
        if (before + after > 0) expect(end(output[0])).toBe(side + before + after);
        else expect(end(output[0])).toBeLessThanOrEqual(side);
      }),
    );
  });

  it.each<[Padding, kernel: number, dilation: number, side: number, least: number]>([
    ["valid", 3, 1, 2, 3],
    ["valid", 3, 4, 8, 9],
    [pads(1, 1), 5, 1, 2, 3],
    [pads(2, 0), 5, 1, 2, 3],
    [pads(0, 1), 9, 1, 7, 8],
  ])(
    "padded %j, of kernel %d and dilation %d, does not fit %d pixels: at least %d",
    (padding, kernel, dilation, side, least) => {
      const window = attributes(kernel, 1, dilation, padding);
      const message = expect.stringMatching(
        new RegExp(`^layer: expected an input of at least ${least} × ${least} pixels, found ${side} × ${side}\\.`),
      );
      const fields = { layer: "layer", input: [side, side], ...window };
      expect(() => layWindow("layer", window, [side, side])).toThrow(
        expect.objectContaining({ code: "NETWORK_VANISHES", message, fields }),
      );
      expect(layWindow("layer", window, [least, least]).output).toEqual([1, 1]);
      for (const one of [
        [side, least],
        [least, side],
      ] as const) {
        expect(() => layWindow("layer", window, one)).toThrow(expect.objectContaining({ code: "NETWORK_VANISHES" }));
      }
    },
  );

  it("over an image of no pixels vanishes, and says that one pixel would do, however it pads", () => {
    for (const padding of ["same", pads(1, 1)] as const) {
      const call = () => layWindow("layer", attributes(1, 1, 1, padding), [0, 0]);
      if (padding === "same") expect(call).toThrow(/at least 1 × 1 pixels, found 0 × 0/);
      else expect(call().output).toEqual([2, 2]);
    }
    const wide = windowAttributes("layer", 1, { stride: 9, padding: pads(0, 3, 0, 0) });
    expect(() => layWindow("layer", wide, [1, 0])).toThrow(/at least 1 × 1 pixels, found 1 × 0/);
  });

  it.each<[string, number, number, number, Padding]>([
    ["kernel", 2 ** 28 + 1, 1, 1, "same"],
    ["stride", 1, 2 ** 28 + 1, 1, "same"],
    ["dilation of one tap", 1, 1, 2 ** 28 + 1, "same"],
    ["dilation of two", 2, 1, 2 ** 28, "same"],
    ["padding before", 1, 1, 1, pads(2 ** 28 + 1, 0)],
    ["padding after", 1, 1, 1, pads(0, 2 ** 28 + 1)],
  ])("of a %s beyond 2²⁸ pixels is refused by its axis", (_, kernel, stride, dilation, padding) => {
    const refusal = (axis: string) =>
      expect.objectContaining({
        code: "OPTION_INVALID",
        fields: { owner: "layer", option: `${axis} window`, found: 2 ** 28 + 1 },
      });
    const both = attributes(kernel, stride, dilation, padding);
    expect(() => layWindow("layer", both, [9, 9])).toThrow(refusal("vertical"));
    const flat = { kernel: [1, both.kernel[1]], stride: [1, both.stride[1]], dilation: [1, both.dilation[1]] } as const;
    const side = typeof padding === "string" ? padding : ([[0, 0], padding[1]] as const);
    expect(() => layWindow("layer", { ...flat, padding: side }, [9, 9])).toThrow(refusal("horizontal"));
  });

  it("of 2²⁸ pixels is one", () => {
    expect(layWindow("layer", attributes(2 ** 28, 2 ** 28, 1, "same"), [9, 9]).output).toEqual([1, 1]);
    expect(layWindow("layer", attributes(1, 1, 2 ** 28, pads(2 ** 28, 2 ** 28)), [9, 9]).output).toEqual([
      2 ** 29 + 9,
      2 ** 29 + 9,
    ]);
  });
});

describe("the attributes of a window", () => {
  it("are those of a stride and a dilation of 1, padded the same, unless it is said", () => {
    expect(windowAttributes("layer", 3, {})).toEqual({
      kernel: [3, 3],
      stride: [1, 1],
      dilation: [1, 1],
      padding: "same",
    });
  });

  it("are its own", () => {
    const padding: [number, number][] = [
      [0, 1],
      [2, 3],
    ];
    const found = windowAttributes("layer", 3, { padding: padding as never });
    padding[0] = [9, 9];
    expect(found.padding).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it.each<[string, unknown, object]>([
    ["kernel", 0, {}],
    ["stride", [1], { stride: [1] }],
    ["dilation", 0.5, { dilation: 0.5 }],
    ["padding", "SAME", { padding: "SAME" }],
    ["padding", 1, { padding: 1 }],
    ["padding", [1, 1], { padding: [1, 1] }],
    ["padding", [[0, 0]], { padding: [[0, 0]] }],
    [
      "padding",
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      {
        padding: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      },
    ],
    ["padding", [[0, 0], [0]], { padding: [[0, 0], [0]] }],
    [
      "padding",
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
      {
        padding: [
          [0, 0, 0],
          [0, 0, 0],
        ],
      },
    ],
    [
      "padding",
      [
        [0, -1],
        [0, 0],
      ],
      {
        padding: [
          [0, -1],
          [0, 0],
        ],
      },
    ],
    [
      "padding",
      [
        [0, 0.5],
        [0, 0],
      ],
      {
        padding: [
          [0, 0.5],
          [0, 0],
        ],
      },
    ],
    [
      "padding",
      [
        [0, "1"],
        [0, 0],
      ],
      {
        padding: [
          [0, "1"],
          [0, 0],
        ],
      },
    ],
    ["padding", "ab", { padding: "ab" }],
  ])("are refused for a %s of %j", (option, found, options) => {
    expect(() => windowAttributes("layer", option === "kernel" ? found : 3, options)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", fields: expect.objectContaining({ owner: "layer", option }) }),
    );
  });
});
