/** A channel as a grid of numbers. */

interface GridProps {
  readonly title: string;
  readonly rows: number;
  readonly columns: number;
  /** What stands in a cell; undefined: nothing yet. */
  readonly text: (row: number, column: number) => string | undefined;
  /** Class names of a cell. */
  readonly mark?: (row: number, column: number) => string;
}

export function Grid({ title, rows, columns, text, mark }: GridProps) {
  const all = Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const);
  return (
    <figure class="grid">
      <figcaption>{title}</figcaption>
      <div class="cells" style={{ "--columns": columns }}>
        {all.map(([row, column]) => {
          const written = text(row, column) ?? "";
          // Numbers of three signs and more are smaller: cells are all of one size.
          const look = written.length < 3 ? "" : written.length === 3 ? "long" : "longer";
          return (
            <span key={row * columns + column} class={`${mark?.(row, column) ?? ""} ${look}`.trim()}>
              {written}
            </span>
          );
        })}
      </div>
    </figure>
  );
}
