/** Networks that are not MobileNet V1, told by the names of their tensors: so that a refusal can say what it refuses. */

interface Other {
  readonly what: string;
  /** Each must match some name; what it matches is shown. None may backtrack: names are as long as a file likes. */
  readonly keys: readonly RegExp[];
}

/** The first that fits is named, so what contains another stands before it. */
const OTHERS: readonly Other[] = [
  { what: "a face detector on a MobileNet V3 body", keys: [/^body\.\d+\.block\./, /^(?:Landmark|Bbox|Class)Head\./] },
  { what: "a face detector on a MobileNet V1 body", keys: [/^body\.stage1\./, /^(?:Landmark|Bbox|Class)Head\./] },
  { what: "a face detector", keys: [/^LandmarkHead\./, /^BboxHead\./] },
  { what: "an SSD object detector", keys: [/(?:^|\/)BoxPredictor_\d\/|\/?WeightSharedConvolutionalBoxPredictor/] },
  { what: "an SSD object detector", keys: [/^classification_headers\./, /^regression_headers\./] },
  { what: "a YOLO object detector", keys: [/^(?:model\.)?model\.\d+\.(?:cv1|cv2|m\.0)\./] },
  { what: "a YOLO object detector", keys: [/^module_list\.\d+\.(?:conv|Conv2d|batch_norm)/] },
  { what: "a segmentation network", keys: [/^backbone\./, /^(?:aux_)?classifier\.0\.convs\.|^decode_head\./] },
  { what: "an object detector", keys: [/^backbone\./, /^(?:rpn|roi_heads|rpn_head|roi_head|bbox_head)\./] },

  {
    what: "a transformer",
    keys: [/(?:^|\.)(?:attn\.qkv|self_attn\.[qkv]_proj|attention\.self\.query|attn\.c_attn)\./],
  },
  { what: "a transformer", keys: [/(?:^|\/)(?:multi_head_attention|self_attention)(?:_\d+)?\//] },
  { what: "a recurrent network", keys: [/(?:^|[./])(?:lstm|gru)(?:_\d+)?[./]|weight_ih_l0$/i] },

  // In timm the first of these has a batch norm after its last convolution, MobileNet V3 has none.
  { what: "an EfficientNet", keys: [/^blocks\.\d+\.\d+\.se\./, /^conv_head\./, /^bn2\.weight$/] },
  { what: "an EfficientNet", keys: [/^features\.\d+\.\d+\.block\./] },
  { what: "an EfficientNet", keys: [/^_blocks\.\d+\._(?:depthwise|expand)_conv\./] },
  { what: "an EfficientNet", keys: [/(?:^|\/)block\d[a-z]_(?:dwconv|expand_conv|project_conv)\d?\//] },
  { what: "an EfficientNet", keys: [/^efficientnet[\w-]*[./]/] },

  { what: "a MobileNet V3", keys: [/^MobilenetV3\//] },
  { what: "a MobileNet V3", keys: [/^mobilenet_?v3[._/]/i] },
  { what: "a MobileNet V3", keys: [/(?:^|\/)expanded_conv_\d+[_/](?:expand|squeeze_excite|depthwise|project)/] },
  { what: "a MobileNet V3", keys: [/^features\.\d+\.block\.\d+\./] },
  { what: "a MobileNet V3", keys: [/^blocks\.\d+\.\d+\.se\./] },
  { what: "a MobileNet V3", keys: [/^(?:bneck|body)\.\d+\.(?:block|se|conv1)\./] },
  { what: "a network with squeeze-and-excitation, such as MobileNet V3", keys: [/(?:^|[._/])squeeze_(?:and_)?excit/] },
  { what: "a network with squeeze-and-excitation, such as MobileNet V3", keys: [/\.se\.(?:fc|conv|se|\d)/] },

  { what: "a MobileNet V2", keys: [/^(?:FeatureExtractor\/)?MobilenetV2\//] },
  { what: "a MobileNet V2", keys: [/^mobilenet_?v2\d?[._/]/i] },
  { what: "a MobileNet V2", keys: [/(?:^|\/)block_\d+_(?:expand|depthwise|project)/] },
  { what: "a MobileNet V2", keys: [/(?:^|\/)expanded_conv_(?:depthwise|project)/] },
  { what: "a MobileNet V2", keys: [/^(?:features|model)\.\d+\.conv\.\d/] },
  { what: "a MobileNet V2", keys: [/^layer\.\d+\.(?:expand_1x1|reduce_1x1)\./] },
  { what: "a MobileNet V2, or another network of inverted residuals", keys: [/^blocks\.\d+\.\d+\.conv_pwl\./] },

  { what: "a ResNet", keys: [/^(?:\w+\.)?layer1\.0\.(?:conv1|conv2|bn1|residual_function)\./] },
  { what: "a ResNet", keys: [/^resnet[\w-]*[./]|(?:^|\/)(?:conv2_block1_1_conv|res2a_branch2a)\//] },
  { what: "a DenseNet", keys: [/(?:^|\.)denseblock1\.|(?:^|\/)conv2_block1_concat|(?:^|\/)pool2_conv\//] },
  { what: "an Xception", keys: [/(?:^|\/)block2_sepconv1\//] },
  { what: "a VGG", keys: [/(?:^|\/)block1_conv1\//] },
  { what: "a VGG or AlexNet", keys: [/^features\.0\.weight$/, /^classifier\.6\.weight$/] },
  { what: "an Inception", keys: [/^(?:InceptionV\d|InceptionResnetV2)\/|^Mixed_5b\.|(?:^|\.)inception\w*\./] },
  { what: "a SqueezeNet", keys: [/^features\.\d+\.squeeze\.|(?:^|\/)fire2[_/]/] },
  { what: "a ShuffleNet V2", keys: [/^stage2\.0\.branch[12]\./] },
  { what: "a ConvNeXt", keys: [/^stages\.0\.blocks\.0\.(?:conv_dw|mlp)\.|^convnext/] },
  { what: "a MobileViT", keys: [/^mobilevit\./] },
];

/** Enough to meet every kind of layer; files of detectors and language models have tens of thousands. */
const NAMES_READ = 5000;
const NAME_LENGTH = 500;

/**
 * What a network is, if it is known and no MobileNet V1: "a MobileNet V2 (keys block_1_expand…)".
 *
 * @param names of its tensors, without a prefix that all have
 */
export function recogniseOther(names: Iterable<string>): string | undefined {
  const read: string[] = [];
  for (const name of names) {
    if (read.length === NAMES_READ) break;
    read.push(name.slice(0, NAME_LENGTH));
  }
  for (const { what, keys } of OTHERS) {
    const found = keys.flatMap((key) => firstMatch(read, key) ?? []);
    if (found.length === keys.length) return `${what} (keys ${found.map((text) => `${text}…`).join(", ")})`;
  }
  return undefined;
}

function firstMatch(names: readonly string[], key: RegExp): string | undefined {
  for (const name of names) {
    const match = key.exec(name);
    // From the start of the name, so that what is shown can be found in the file.
    if (match !== null) return name.slice(0, match.index + match[0].length);
  }
  return undefined;
}
