export const DIGITS_FILE = "";
