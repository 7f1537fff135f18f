/** Table 1 of Howard et al. 2017, arXiv 1704.04861. */

/** A row of table 1: a depthwise separable block, or the stem. */
export interface Block {
  readonly stride: number;
  readonly filters: number;
}

/** Table 1: the full convolution in front. */
export const MOBILENET_V1_STEM: Block = { stride: 2, filters: 32 };

/** Table 1: thirteen depthwise separable blocks; the stride is that of the depthwise layer. */
export const MOBILENET_V1_BLOCKS: readonly Block[] = [
  { stride: 1, filters: 64 },
  { stride: 2, filters: 128 },
  { stride: 1, filters: 128 },
  { stride: 2, filters: 256 },
  { stride: 1, filters: 256 },
  { stride: 2, filters: 512 },
  { stride: 1, filters: 512 },
  { stride: 1, filters: 512 },
  { stride: 1, filters: 512 },
  { stride: 1, filters: 512 },
  { stride: 1, filters: 512 },
  { stride: 2, filters: 1024 },
  { stride: 1, filters: 1024 },
];
