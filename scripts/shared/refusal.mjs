/** What a person can mend: one line, and exit code 1. */
export class Refusal extends Error {}
