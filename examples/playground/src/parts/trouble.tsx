/** What went wrong, in words, where it is seen and heard. */

export function Trouble({ message }: { readonly message: string | undefined }) {
  return (
    <p class={message === undefined ? "" : "trouble"} role="alert" data-testid="error">
      {message}
    </p>
  );
}
