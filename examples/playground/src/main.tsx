/** Puts the page in its place. */

import { render } from "preact";
import { App } from "./app.tsx";
import "virtual:pictures.css";
import "./style.css";

const place = document.getElementById("page");
if (place !== null) {
  // What stands there until now says the first formula to those who wait.
  place.replaceChildren();
  render(<App />, place);
}
