/** A button that asks for files. */

interface FileInputProps {
  readonly label: string;
  readonly onFiles: (files: readonly [File, ...File[]]) => void;
  readonly accept?: string;
  readonly multiple?: boolean;
  readonly disabled?: boolean;
  /** Its id, and what scripts know it by. */
  readonly name?: string;
}

export function FileInput({ label, onFiles, accept, multiple, disabled, name }: FileInputProps) {
  return (
    <label class="file">
      {label}
      <input
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
          if (first !== undefined) onFiles([first, ...others]);
        }}
      />
    </label>
  );
}
