/** A button that asks for files. */

import { useEffect, useRef } from "preact/hooks";

interface FileInputProps {
  readonly label: string;
  readonly onFiles: (files: readonly [File, ...File[]]) => void;
  readonly accept?: string;
  readonly multiple?: boolean;
  /** Whether it takes nothing now. It keeps the focus, as a `Button` does. */
  readonly isOff?: boolean;
  /** What is shown of what was chosen: of anything else the name that stands in the field would be wrong. */
  readonly shown?: unknown;
  /** Its id, and what scripts know it by. */
  readonly name?: string;
}

export function FileInput({ label, onFiles, accept, multiple, isOff = false, shown, name }: FileInputProps) {
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
        aria-disabled={isOff}
        onClick={(event) => {
          if (isOff) return event.preventDefault();
          // The same file may be chosen again: to the browser that is else no change.
          event.currentTarget.value = "";
        }}
        onChange={(event) => {
          // Files may be dropped on it too.
          if (isOff) {
            event.currentTarget.value = "";
            return;
          }
          const [first, ...others] = event.currentTarget.files ?? [];
          chosen.current = first;
          if (first !== undefined) onFiles([first, ...others]);
        }}
      />
    </label>
  );
}
