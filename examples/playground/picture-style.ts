/** The style sheet of the library's pictures as a file of the page's, whose policy allows no other. */

import type { Plugin } from "vite";

const MODULE = "virtual:pictures.css";

export function pictureSheet(): Plugin {
  return {
    name: "pictures",
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    async load(id) {
      if (id !== `\0${MODULE}`) return null;
      // The package itself, which has been built by then.
      const { pictureStyle } = await import("depthwise/draw");
      return pictureStyle();
    },
  };
}
