/** What stands under a command's help; a test runs each of them. */

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  depthwise: [
    "depthwise cost --alpha 0.5 --resolution 160",
    "depthwise budget --mult-adds 100M",
    "depthwise classify photo.jpg",
    "depthwise inspect keras:mobilenet_2_5_128_tf",
    "depthwise doctor",
  ],
  summary: [
    "depthwise summary --alpha 0.25 --resolution 128",
    "depthwise summary --weights mobilenet.h5",
    "depthwise summary --json > layers.json",
  ],
  cost: [
    "depthwise cost --alpha 0.5 --resolution 160",
    "depthwise cost --alpha 0.5 --chart",
    "depthwise cost --convention thop --markdown > cost.md",
    "depthwise cost --weights mobilenet.h5 --json",
  ],
  paper: ["depthwise paper | less", "depthwise paper --markdown > paper.md", "depthwise paper --json"],
  budget: [
    "depthwise budget --mult-adds 100M",
    "depthwise budget --bytes 6MB --activation-bytes 2MiB",
    "depthwise budget --parameters 2M --json",
  ],
  draw: [
    "depthwise draw cost --alpha 0.5 --out cost.svg",
    "depthwise draw network --weights mobilenet.h5 --out network.svg",
    "depthwise draw separable --filters 512 --size 14 > separable.svg",
    "depthwise draw front --mult-adds 100M --language ko --out front.svg",
    "depthwise draw accuracy --against parameters --out accuracy.svg",
  ],
  classify: [
    "depthwise classify photo.jpg",
    "depthwise classify photos 'more/*.jpg' --top-k 1 --json",
    "depthwise classify --weights mobilenet.h5 --range 0,1 photo.jpg",
    "depthwise classify - < photo.jpg",
  ],
  batch: [
    "depthwise batch photos --weights mobilenet.h5 --out labels",
    "depthwise batch photos --weights mobilenet.h5 --out labels --shards 20 --shard 3",
    "depthwise batch --status labels",
    "depthwise batch --out labels --merge labels.jsonl",
  ],
  nearest: [
    "depthwise nearest features photo.jpg --weights mobilenet.h5",
    "depthwise nearest features photo.jpg --weights mobilenet.h5 --top-k 3 --json",
  ],
  train: [
    "depthwise train flowers --epochs 20 --out runs/flowers",
    "depthwise train --resume --out runs/flowers",
    "depthwise train mnist --recipe fast --threads 2 --out runs/mnist",
    "depthwise train flowers --from keras:mobilenet_2_5_128_tf --out runs/tuned",
  ],
  evaluate: [
    "depthwise evaluate runs/mnist/model.safetensors mnist",
    "depthwise evaluate mobilenet.h5 pets",
    "depthwise evaluate mobilenet.h5 pets --json",
  ],
  inspect: [
    "depthwise inspect mobilenet.h5",
    "depthwise inspect keras:mobilenet_2_5_128_tf --no-tensors",
    "depthwise inspect hf:owner/name --json",
    "depthwise inspect - < mobilenet.h5",
  ],
  convert: [
    "depthwise convert mobilenet.h5 mobilenet.safetensors",
    "depthwise convert keras:mobilenet_2_5_128_tf half.safetensors --dtype F16",
    "depthwise convert mobilenet.h5 quarter.safetensors --dtype I8 --fold",
    "depthwise convert mobilenet.h5 web-model --to tfjs",
    "depthwise convert - - < mobilenet.h5 > copy.safetensors",
  ],
  verify: [
    "depthwise verify mobilenet.h5 --images photo.jpg",
    "depthwise verify mobilenet.h5 --images photos --against other.h5",
    "depthwise verify mobilenet.h5 --images photo.jpg --resize stretch --json",
  ],
  cache: ["depthwise cache ls", "depthwise cache ls --json", "depthwise cache clear"],
  profile: [
    "depthwise profile --alpha 0.25 --resolution 128",
    "depthwise profile --alpha 0.25 --threads auto --trace trace.json",
    "depthwise profile --weights mobilenet.h5 --runs 3 --json",
  ],
  doctor: ["depthwise doctor", "depthwise doctor --json"],
};

/** For the end of a command's help; empty for one that has none of its own. */
export function examplesOf(name: string): string {
  const lines = EXAMPLES[name] ?? [];
  return lines.length === 0 ? "" : ["", "Examples:", ...lines.map((line) => `  ${line}`)].join("\n");
}
