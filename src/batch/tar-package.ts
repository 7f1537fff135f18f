/** What is used of the package tar: a part of its own, for archives alone. */

export { Header } from "tar/header";
export { Pax } from "tar/pax";
