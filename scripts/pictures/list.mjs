/**
 * The pictures of docs/pictures, by name.
 *
 * @param {typeof import("../../src/draw/index.ts")} draw
 * @param {typeof import("../../src/models/index.ts").mobileNetV1} mobileNetV1
 */
export function picturesOf({ drawAccuracy, drawCost, drawFront, drawNetwork, drawSeparable }, mobileNetV1) {
  return {
    cost: drawCost(mobileNetV1()),
    network: drawNetwork(mobileNetV1()),
    separable: drawSeparable(),
    "separable.ko": drawSeparable({ language: "ko" }),
    front: drawFront({ budget: { multAdds: 100e6 } }),
    "accuracy-mult-adds": drawAccuracy({ against: "multAdds" }),
    "accuracy-parameters": drawAccuracy({ against: "parameters" }),
  };
}
