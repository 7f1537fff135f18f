/** As much of jsfive, which has no types, as the tests use. */
declare module "jsfive" {
  export class File {
    constructor(bytes: ArrayBuffer, name: string);
    readonly attrs: Readonly<Record<string, unknown>>;
    get(path: string): unknown;
  }
}
