/** Where the paper prints something else than its networks cost, and the most likely reason. */

export interface Erratum {
  readonly number: number;
  readonly where: string;
  readonly reason: string;
  /** `certain`: arithmetic leaves one reading; `likely`: one simple reading; `possible`: others fit too. */
  readonly confidence: "certain" | "likely" | "possible" | "unknown";
}

/** All places where the paper's figures are not those of its networks, by number. */
export const ERRATA: readonly Erratum[] = [
  {
    number: 1,
    where: "Table 1, last Conv dw",
    reason: "printed s2, acts as s1: the printed input sizes, table 2 and every released model use stride 1",
    confidence: "certain",
  },
  {
    number: 2,
    where: "Table 2, Conv 3x3, mult-adds",
    reason: "digits transposed: 1.91 printed as 1.19; the printed column does not sum to 100",
    confidence: "certain",
  },
  {
    number: 3,
    where: "Table 4, Conv MobileNet, mult-adds",
    reason: "the fully connected layer is missing, which the MobileNet row and both parameter figures include",
    confidence: "likely",
  },
  {
    number: 4,
    where: "Table 7, 1.0 MobileNet-160, mult-adds",
    reason: "truncated instead of rounded",
    confidence: "certain",
  },
  {
    number: 5,
    where: "Table 9, 0.50 MobileNet-160, mult-adds",
    reason: "truncated instead of rounded",
    confidence: "certain",
  },
  {
    number: 6,
    where: "Table 10, 1.0 MobileNet-224, mult-adds",
    reason: "copied from the network of 1000 classes; the parameters are those of 120 breeds",
    confidence: "likely",
  },
  {
    number: 7,
    where: "Table 10, 1.0 MobileNet-192, mult-adds",
    reason: "copied from the network of 1000 classes",
    confidence: "likely",
  },
  {
    number: 8,
    where: "Table 12, 0.25 MobileNet-224, mult-adds",
    reason: "not the 0.25 network of table 6; a floor of 16 channels, truncated, gives the printed figure",
    confidence: "possible",
  },
  {
    number: 9,
    where: "Table 12, 0.25 MobileNet-128, mult-adds",
    reason: "not the 0.25 network of table 6; a floor of 16 channels, truncated, gives the printed figure",
    confidence: "possible",
  },
  {
    number: 10,
    where: "Table 12, 0.5 MobileNet-128, mult-adds",
    reason: "truncated instead of rounded",
    confidence: "likely",
  },
  {
    number: 11,
    where: "Table 14, 1.0 MobileNet-160, mult-adds",
    reason: "smaller than the body alone: some part was left out, or the input was not 160",
    confidence: "unknown",
  },
  {
    number: 12,
    where: "Table 14, 0.75 MobileNet-128 (first), mult-adds",
    reason: "the row is mislabelled: it is 0.75 MobileNet-160; the name 0.75 MobileNet-128 stands twice",
    confidence: "certain",
  },
  {
    number: 13,
    where: "Table 14, 0.75 MobileNet-128 (second), mult-adds",
    reason:
      "two million more than the body, as are its parameters: a dense embedding head explains both, but not the other rows",
    confidence: "possible",
  },
  {
    number: 14,
    where: "Table 8, GoogleNet",
    reason: "quoted from the GoogLeNet paper, about 1.5 billion",
    confidence: "likely",
  },
  {
    number: 15,
    where: "Table 8, VGG 16",
    reason: "the three fully connected layers are left out of the mult-adds but not of the parameters",
    confidence: "likely",
  },
  {
    number: 16,
    where: "Table 9, Squeezenet",
    reason: "counts multiplications and additions apart; as mult-adds it is about half",
    confidence: "likely",
  },
  {
    number: 17,
    where: "Table 9, AlexNet",
    reason: "quoted from the AlexNet literature, rounded down",
    confidence: "likely",
  },
  {
    number: 18,
    where: "Section 4.2, on table 9",
    reason: '"4% better" than AlexNet and Squeezenet: the table says 3.0 and 2.7 points',
    confidence: "certain",
  },
  {
    number: 19,
    where: "Section 4.4",
    reason: '"0.58 Million mult-adds" of PlaNet MobileNet: billion is meant',
    confidence: "certain",
  },
  {
    number: 20,
    where: "Section 4.5",
    reason: '"75 million parameters" where table 12 prints 7.5: a decimal point was lost in one of the two',
    confidence: "likely",
  },
  {
    number: 21,
    where: "Section 4.2, on table 8",
    reason: '"32 times smaller" than VGG16: 32.9, truncated',
    confidence: "certain",
  },
  {
    number: 22,
    where: "Section 3.1",
    reason: '"between 8 to 9 times less computation": the first block, of 64 filters, falls just below 8',
    confidence: "certain",
  },
];
