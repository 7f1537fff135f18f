export const CIFAR10_FILE = "";
