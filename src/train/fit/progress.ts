/** Rates and what is left, of a run that goes on. */

/** Least time between two reports, in ms. */
const REPORT_MS = 100;

/** What the newest step weighs in the mean time of a step. */
const NEWEST = 0.05;

export class Progress {
  #lastReport = Number.NEGATIVE_INFINITY;
  #stepMs: number | undefined;
  #validationMs = 0;

  /** @param milliseconds from the end of the step before, waiting for data too */
  took(milliseconds: number): void {
    this.#stepMs = this.#stepMs === undefined ? milliseconds : this.#stepMs + NEWEST * (milliseconds - this.#stepMs);
  }

  /** What follows the steps of an epoch: validation, statistics, a checkpoint. */
  endTook(milliseconds: number): void {
    this.#validationMs = milliseconds;
  }

  /** Whether a report is due; it then counts as made. */
  isDue(now: number, isLast: boolean): boolean {
    if (!isLast && now - this.#lastReport < REPORT_MS) return false;
    this.#lastReport = now;
    return true;
  }

  /** @param ends epochs whose end is to come */
  remainingSeconds(steps: number, ends: number): number {
    return (steps * (this.#stepMs ?? 0) + ends * this.#validationMs) / 1000;
  }
}
