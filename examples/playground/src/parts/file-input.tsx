/** A button that asks for files. */

import { useEffect, useRef } from "preact/hooks";

interface FileInputProps {
  readonly label: string;
  readonly onFiles: (files: readonly [File, ...File[]]) => void;
  readonly accept?: string;
  readonly multiple?: boolean;
  readonly disabled?: boolean;
  /** What is shown of what was chosen: of anything else the name that stands in the field would be wrong. */
  readonly shown?: unknown;
  /** Its id, and what scripts know it by. */
  readonly name?: string;
}

export function FileInput({ label, onFiles, accept, multiple, disabled, shown, name }: FileInputProps) {
  const input = useRef<HTMLInputElement>(null);
  const chosen = useRef<unknown>(undefined);
  useEffect(() => {
    if (input.current !== null && shown !== chosen.current) input.current.value = "";
  }, [shown]);
  return (
    <label class="file">
      {label}
      <input
        ref={input}
        type="file"
        id={name}
        data-testid={name}
        accept={accept}
        multiple={multiple}
        disabled={disabled}
        onClick={(event) => {
          // The same file may be chosen again: to the browser that is else no change.
          event.currentTarget.value = "";
        }}
        onChange={(event) => {
          const [first, ...others] = event.currentTarget.files ?? [];
          chosen.current = first;
          if (first !== undefined) onFiles([first, ...others]);
        }}
      />
    </label>
  );
}
