/** Networks that are refused by name: each family's own keys, and none of MobileNet V1's. */

import { expect, it } from "vitest";
import { recogniseOther } from "../../src/understand/architectures/mobilenet-v1/names/others.ts";

it.each<[string, string[], string]>([
  [
    "a detector on V3",
    ["body.0.0.weight", "body.1.block.0.0.weight", "LandmarkHead.0.conv1x1.weight"],
    "a face detector on a MobileNet V3 body (keys body.1.block.…, LandmarkHead.…)",
  ],
  [
    "a detector on V1",
    ["body.stage1.0.0.weight", "ClassHead.0.conv1x1.weight"],
    "a face detector on a MobileNet V1 body (keys body.stage1.…, ClassHead.…)",
  ],
  [
    "SSD of TensorFlow",
    ["FeatureExtractor/MobilenetV1/Conv2d_0/weights", "BoxPredictor_0/ClassPredictor/weights"],
    "an SSD object detector (keys BoxPredictor_0/…)",
  ],
  [
    "timm V2",
    ["conv_stem.weight", "blocks.0.0.conv_dw.weight", "blocks.1.0.conv_pwl.weight"],
    "a MobileNet V2, or another network of inverted residuals (keys blocks.1.0.conv_pwl.…)",
  ],
  [
    "timm V3",
    ["conv_stem.weight", "blocks.0.0.se.conv_reduce.weight", "blocks.1.0.conv_pwl.weight", "conv_head.weight"],
    "a MobileNet V3 (keys blocks.0.0.se.…)",
  ],
  [
    "timm EfficientNet",
    ["blocks.0.0.se.conv_reduce.weight", "conv_head.weight", "bn2.weight"],
    "an EfficientNet (keys blocks.0.0.se.…, conv_head.…, bn2.weight…)",
  ],
  ["torchvision V2", ["features.0.0.weight", "features.1.conv.0.0.weight"], "a MobileNet V2 (keys features.1.conv.0…)"],
  [
    "torchvision V3",
    ["features.0.0.weight", "features.1.block.0.0.weight"],
    "a MobileNet V3 (keys features.1.block.0.…)",
  ],
  ["torchvision EfficientNet", ["features.1.0.block.0.0.weight"], "an EfficientNet (keys features.1.0.block.…)"],
  ["Hugging Face V2", ["mobilenet_v2.conv_stem.first_conv.convolution.weight"], "a MobileNet V2 (keys mobilenet_v2.…)"],
  [
    "Hugging Face V2, bare",
    ["conv_stem.first_conv.convolution.weight", "layer.0.expand_1x1.convolution.weight"],
    "a MobileNet V2 (keys layer.0.expand_1x1.…)",
  ],
  [
    "Keras V2",
    ["Conv1/kernel:0", "expanded_conv_depthwise/depthwise_kernel:0", "block_1_expand/kernel:0"],
    "a MobileNet V2 (keys block_1_expand…)",
  ],
  [
    "Keras V3",
    ["conv/kernel:0", "expanded_conv_project/kernel", "expanded_conv_1_squeeze_excite_conv/kernel"],
    "a MobileNet V3 (keys expanded_conv_1_squeeze_excite…)",
  ],
  ["TF-slim V2", ["MobilenetV2/Conv/weights"], "a MobileNet V2 (keys MobilenetV2/…)"],
  ["ONNX zoo V2", ["mobilenetv20_features_conv0_weight"], "a MobileNet V2 (keys mobilenetv20_…)"],
  ["torchvision ResNet", ["conv1.weight", "layer1.0.conv1.weight"], "a ResNet (keys layer1.0.conv1.…)"],
  ["Keras ResNet", ["conv1_conv/kernel:0", "conv2_block1_1_conv/kernel:0"], "a ResNet (keys conv2_block1_1_conv/…)"],
  ["YOLO", ["model.0.conv.weight", "model.2.cv1.conv.weight"], "a YOLO object detector (keys model.2.cv1.…)"],
  [
    "VGG",
    ["features.0.weight", "classifier.6.weight"],
    "a VGG or AlexNet (keys features.0.weight…, classifier.6.weight…)",
  ],
  ["a transformer", ["blocks.0.attn.qkv.weight"], "a transformer (keys blocks.0.attn.qkv.…)"],
  ["an LSTM", ["lstm/lstm_cell/kernel:0"], "a recurrent network (keys lstm/…)"],
])("%s is recognised by its keys", (_, names, phrase) => {
  expect(recogniseOther(names)).toBe(phrase);
});

it.each<[string, string[]]>([
  ["nothing", []],
  ["Keras", ["conv1/kernel:0", "conv_dw_1/depthwise_kernel:0", "conv_pw_13_bn/gamma:0", "conv_preds/kernel:0"]],
  ["Keras by number", ["conv2d/kernel:0", "depthwise_conv2d_12/depthwise_kernel:0", "batch_normalization_3/gamma:0"]],
  [
    "Hugging Face",
    ["mobilenet_v1.conv_stem.convolution.weight", "mobilenet_v1.layer.25.normalization.weight", "classifier.weight"],
  ],
  [
    "timm",
    ["conv_stem.weight", "bn1.weight", "blocks.0.0.conv_dw.weight", "blocks.4.1.bn2.weight", "classifier.weight"],
  ],
  ["PyTorch copies", ["model.0.0.weight", "model.1.3.weight", "model.13.4.running_var", "fc.weight"]],
  ["torchvision's kind", ["features.0.0.weight", "features.13.3.weight", "classifier.1.weight"]],
  ["Retinaface", ["stage1.0.0.weight", "stage3.1.4.weight", "fc.bias"]],
  ["TF-slim", ["MobilenetV1/Conv2d_0/weights", "MobilenetV1/Logits/Conv2d_1c_1x1/weights"]],
])("%s is no other network", (_, names) => {
  expect(recogniseOther(names)).toBeUndefined();
});

it("names of any length and number take no time worth telling", () => {
  const long = ["features.".repeat(100_000), "blocks.0.".repeat(100_000), "(".repeat(1_000_000)];
  expect(recogniseOther(long)).toBeUndefined();
  expect(recogniseOther(Array.from({ length: 100_000 }, (_, i) => `t${i}`))).toBeUndefined();
});
