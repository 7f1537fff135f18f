/** What is used of fflate: a part of its own, for files that hold compressed data. */

export { inflateSync, Unzlib, unzlibSync } from "fflate";
