/** Controls: each has a label, its value beside it, and is as large as a finger. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface SliderProps {
  readonly label: ComponentChildren;
  readonly value: number;
  readonly range: readonly [least: number, most: number];
  readonly onChange: (value: number) => void;
  /** Its value in words, where that is more than the number. */
  readonly text?: string;
  readonly testId?: string;
}

/** A slider over whole numbers. */
export function Slider({ label, value, range: [least, most], onChange, text, testId }: SliderProps) {
  const id = useId();
  return (
    <div class="control">
      <label for={id}>{label}</label>
      <output for={id}>{text ?? value}</output>
      <input
        id={id}
        type="range"
        min={least}
        max={most}
        step={1}
        value={value}
        data-testid={testId}
        aria-valuetext={text}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
    </div>
  );
}

interface ChoiceProps<Name extends string> {
  readonly label: string;
  readonly value: Name;
  readonly names: readonly (readonly [name: Name, words: string])[];
  readonly onChange: (name: Name) => void;
}

/** One of a few: all are seen at once. */
export function Choice<Name extends string>({ label, value, names, onChange }: ChoiceProps<Name>) {
  const group = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div class="options">
        {names.map(([name, words]) => (
          <label key={name} class={name === value ? "chosen" : ""}>
            <input type="radio" name={group} checked={name === value} onChange={() => onChange(name)} />
            {words}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
