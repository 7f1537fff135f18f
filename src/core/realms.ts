/**
 * What a value is, of whatever realm: in a frame, in Jest and under jsdom there are two of each class, and what one
 * makes is no instance of the other. Where the engine can tell, it is asked, not the value.
 */

/** Whether the getter of a built-in class takes it for its own. */
function has(prototype: object, getter: string, value: unknown): boolean {
  try {
    Reflect.get(prototype, getter, value);
    return true;
  } catch {
    return false;
  }
}

/**
 * What a typed array is and how many numbers it holds, of whatever realm; undefined for anything else. Asked of the
 * array itself: a class made of one may say of its `length` and `constructor` what it likes.
 */
export function typedArray(value: unknown): { readonly kind: string; readonly length: number } | undefined {
  const intrinsic = (name: string | symbol): unknown =>
    Reflect.get(Object.getPrototypeOf(Uint8Array.prototype) as object, name, value);
  if (!ArrayBuffer.isView(value)) return undefined;
  const kind = intrinsic(Symbol.toStringTag);
  return typeof kind === "string" ? { kind, length: intrinsic("length") as number } : undefined;
}

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return has(ArrayBuffer.prototype, "byteLength", value);
}

/** False where there are none, as in a page that is not isolated. */
export function isSharedBuffer(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== "undefined" && has(SharedArrayBuffer.prototype, "byteLength", value);
}

export function isMap(value: unknown): value is Map<unknown, unknown> {
  return has(Map.prototype, "size", value);
}

export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArray(value)?.kind === "Uint8Array";
}

export function isFloat32Array(value: unknown): value is Float32Array {
  return typedArray(value)?.kind === "Float32Array";
}

export function isURL(value: unknown): value is URL {
  return className(value) === "URL" && typeof Reflect.get(value as object, "href") === "string";
}

export function isBlob(value: unknown): value is Blob {
  if (typeof Blob !== "undefined" && value instanceof Blob) return true;
  return /^(?:Blob|File)$/.test(className(value)) && typeof Reflect.get(value as object, "size") === "number";
}

/** The files of an input, of whatever frame. */
export function isFileList(value: unknown): value is FileList {
  return className(value) === "FileList";
}

export function isReadableStream(value: unknown): value is ReadableStream<Uint8Array> {
  return className(value) === "ReadableStream" && typeof Reflect.get(value as object, "getReader") === "function";
}

export function isError(value: unknown): value is Error {
  return value instanceof Error || className(value) === "Error";
}

/** What the system calls its error: `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return isError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What a value is, of whatever realm: `Float32Array`. */
export function className(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
