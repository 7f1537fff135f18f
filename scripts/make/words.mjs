/** What a card says that no figure does. */

export const WORDS = {
  digits: {
    title: "digits: handwriting, 28 × 28, grey",
    reads:
      "One digit, written by hand: light strokes on a dark ground, in the middle of a square, filling half to two thirds of it.",
    example: "node_modules/depthwise/examples/drawings/digit-3.png",
    data:
      "MNIST: 60,000 pictures to learn from, 10,000 to test, of digits that clerks of the American Census Bureau and high " +
      "school students wrote, from databases of NIST. Made by Yann LeCun, Corinna Cortes and Christopher J. C. Burges; " +
      'commonly given as CC BY-SA 3.0. Described in LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied ' +
      'to Document Recognition", Proceedings of the IEEE, 1998. None of its pictures are in this package.',
    fetched: "npm run data:mnist",
    before:
      "Other networks were measured on them before: those of `bench/mnist.mjs`, whose recipe this is, and one without " +
      "pictures of nothing (99.50 %).",
    notFor: [
      "Several digits in one picture, letters, signs: there are ten answers, and it gives one of them to anything.",
      "Dark ink on light paper as it is: invert the picture first. Nor a digit in a corner, or a small one. What is transparent is seen as white: fill a canvas with black before you draw on it.",
      "Printed figures, other scripts, other ways of writing (a one with a long upstroke, a seven with a bar): MNIST is American handwriting of around 1990.",
      "Anything where a wrong digit costs money or more. Its probability is no measure of that, least of all for pictures unlike its data.",
    ],
  },
  cifar10: {
    title: "cifar10: ten kinds of things, 32 × 32, colour",
    reads:
      "A small photograph of one of ten things that fills it: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.",
    example: "node_modules/depthwise/examples/drawings/ship.png",
    data:
      "CIFAR-10: 50,000 pictures to learn from, 10,000 to test, from the Tiny Images that were gathered by searching the " +
      "web for words. Made by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton, who gave no licence and ask for credit. " +
      'Described in Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. None of its pictures are ' +
      "in this package.",
    fetched: "npm run data:cifar10",
    before:
      "No other network had been measured on them: what was chosen was chosen by a tenth of the training pictures.",
    notFor: [
      "Anything but these ten: it gives one of them to every picture, people and cups included.",
      "Photographs as cameras make them, where the thing is small or cut off. They are shrunk to 32 × 32; for a thousand kinds of things at 224 × 224 load a network of ImageNet.",
      "Telling breeds, makes or types apart. An `automobile` is no pickup, and a `truck` is a big one.",
      "Decisions about people, safety or money. Tiny Images was withdrawn by its makers for offensive labels elsewhere in it; these ten classes were labelled again by hand, and nobody chose the pictures to be fair to places or kinds.",
    ],
  },
};
