/** A button that may be off. */

import type { ComponentChildren } from "preact";

interface ButtonProps {
  readonly onClick: () => void;
  /** Whether it does nothing now. It keeps the focus: `disabled` takes that from whoever has just pressed it. */
  readonly isOff?: boolean;
  /** What a button without words is called. */
  readonly label?: string;
  readonly look?: string;
  readonly children: ComponentChildren;
}

export function Button({ onClick, isOff = false, label, look, children }: ButtonProps) {
  return (
    <button
      type="button"
      class={look}
      aria-label={label}
      title={label}
      aria-disabled={isOff}
      onClick={isOff ? undefined : onClick}
    >
      {children}
    </button>
  );
}
