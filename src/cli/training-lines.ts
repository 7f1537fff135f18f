/** What is shown while a run goes on: a line for each epoch, and on a terminal a bar for what is under way. */

import { visible } from "../core/visible.ts";
import type { EpochEvent, FitEvent } from "../train/index.ts";
import { complain, isTerminal, print, progressBar, terminalWidth } from "./print.ts";
import { duration, lossText } from "./report.ts";
import { percent } from "./report-confusion.ts";
import { fits } from "./table.ts";

/** More pictures that cannot be read are counted, not named. */
const MOST_NAMED = 10;

export class TrainingLines {
  readonly #bar = progressBar("{bar} {percentage} %  {name}");
  readonly #skipped = new Set<string>();
  readonly #epochs: number;
  /** Where the run goes on, until it does: the phases of fine-tuning that are over say it too. */
  #resumedLine: string | undefined;

  /** @param epochs of the whole run */
  constructor(epochs: number) {
    this.#epochs = epochs;
  }

  tell(event: FitEvent): void {
    switch (event.type) {
      case "epoch":
        this.#goOn();
        print([epochLine(event)], []);
        break;
      case "progress": {
        this.#goOn();
        const { epoch, epochs, step, steps, loss, remainingSeconds } = event;
        this.#bar.update(step, steps, `${epoch}/${epochs}  loss ${lossText(loss, 3)}  ${timeLeft(remainingSeconds)}`);
        break;
      }
      case "skipped":
        this.#skip(event.name, event.error.message);
        break;
      case "resumed": {
        const { epoch, example, error } = event;
        if (error !== undefined) complain(`${error.code}: ${error.message}`);
        this.#resumedLine = this.#resumed(epoch, example);
        break;
      }
      case "stopped":
        if (event.reason === "early" && this.#resumedLine !== undefined) this.#resumedLine = "nothing is left to train";
        break;
      default:
    }
  }

  stop(): void {
    this.#bar.stop();
    this.#goOn();
    const more = this.#skipped.size - MOST_NAMED;
    if (more > 0) complain(`${more} more pictures could not be read and were left out`);
  }

  #goOn(): void {
    if (this.#resumedLine !== undefined) print([this.#resumedLine], []);
    this.#resumedLine = undefined;
  }

  #resumed(epoch: number, example: number): string {
    if (epoch > this.#epochs) return "all epochs are done";
    return `goes on in epoch ${epoch}${example === 0 ? "" : ` after ${example.toLocaleString("en-US")} pictures`}`;
  }

  /** Once a picture: each epoch meets it again. */
  #skip(name: string, message: string): void {
    if (this.#skipped.has(name)) return;
    this.#skipped.add(name);
    if (this.#skipped.size <= MOST_NAMED) complain(`left out: ${visible(name)}: ${message}`);
  }
}

/** Short, for a line in which there is a bar too. */
function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s left`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min left` : `${Math.round(seconds / 3600)} h left`;
}

/** On a terminal what is told least goes where it has no room. */
function epochLine(event: EpochEvent): string {
  const { epoch, epochs, loss, accuracy, validation, learningRate, imagesPerSecond, seconds, waitedForData } = event;
  const count = String(epoch).padStart(String(epochs).length);
  const head = [`epoch ${count}/${epochs}`, `loss ${lossText(loss)}`, percent(accuracy).padStart(7)];
  const held =
    validation === undefined
      ? []
      : [`validation ${lossText(validation.loss)}`, percent(validation.accuracy).padStart(7)];
  const best = validation === undefined ? [] : [event.isBest ? "*" : " "];
  const more = [
    duration(seconds).padStart(6),
    `${Math.round(imagesPerSecond).toLocaleString("en-US")} pictures/s`,
    `rate ${Number(learningRate.toPrecision(3))}`,
    ...(waitedForData > 0.2 ? [`waited for data ${Math.round(100 * waitedForData)} %`] : []),
  ];
  const lineOf = (count: number) => [...head, ...held, ...best, ...more.slice(0, count)].join("  ").trimEnd();
  const width = isTerminal() ? terminalWidth() : Number.POSITIVE_INFINITY;
  const roomy = [...more.keys()].reverse().find((index) => fits(lineOf(index + 1), width));
  return lineOf((roomy ?? -1) + 1);
}
