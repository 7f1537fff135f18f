/** A sentence in which the paper's D_F and D_K have their letters below the line, as in the formulas. */

export function Letters({ text }: { readonly text: string }) {
  return (
    <>
      {text.split(/D_([FK])/).map((part, place) =>
        place % 2 === 0 ? (
          part
        ) : (
          <span key={`${place}${part}`} class="letter">
            D<sub>{part}</sub>
          </span>
        ),
      )}
    </>
  );
}
