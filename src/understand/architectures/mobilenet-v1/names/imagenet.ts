/** How most PyTorch code brings a picture, first to 0..1, into the range of its network: torchvision's figures. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;
