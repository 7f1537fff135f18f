/** A picture of the library's, as elements; with its numbers as a table for those who do not see it, or want them. */

import type { Picture, PictureShape } from "depthwise/draw";
import { PICTURE_CLASS } from "depthwise/draw";
import { type ComponentChild, h } from "preact";
import { useLanguage } from "../language.tsx";

export function Figure({ picture }: { readonly picture: Picture }) {
  const { words } = useLanguage();
  const { width, height, title, description, shapes, table } = picture;
  return (
    <figure class="picture">
      <div class="wide">
        <svg
          class={PICTURE_CLASS}
          viewBox={`0 0 ${width} ${height}`}
          style={{ minWidth: `${Math.min(width, Math.max(LEAST, LEAST_SHARE * width))}px`, maxWidth: `${width}px` }}
          role="img"
          aria-label={`${title}. ${description}`}
        >
          {shapes.map(drawn)}
        </svg>
      </div>
      <details>
        <summary>{words.asTable}</summary>
        <div class="wide">
          <table>
            <caption>{title}</caption>
            <thead>
              <tr>
                {table.titles.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row) => (
                <tr key={row.join()}>
                  {row.map((cell, column) =>
                    column === 0 ? (
                      <th key={table.titles[column]} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={table.titles[column]}>{cell}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

/** On a narrow screen a picture is moved aside rather than shrunk until nobody reads it. */
const LEAST = 640;
const LEAST_SHARE = 0.8;

function drawn({ tag, attributes, children }: PictureShape, index: number): ComponentChild {
  const inner = children.map((child, place) => (typeof child === "string" ? child : drawn(child, place)));
  return h(tag, { ...attributes, key: index }, inner);
}
