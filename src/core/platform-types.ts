/**
 * What a page, Node, Deno, Bun or a worker has and the language has not, for the declarations that others compile:
 * they may have no types of the DOM, none of Node, or those of another platform.
 */

/**
 * The instances of a global class by its name, as the types of whoever compiles have it: `Global<"Blob">` is `Blob`
 * where there is one. Where there is none it is `Otherwise`; `never` takes it out of a union.
 */
export type Global<Name extends string, Otherwise = never> = typeof globalThis extends {
  readonly [N in Name]: { readonly prototype: infer Instance };
}
  ? Instance
  : Otherwise;

/** The same for the classes of `WebAssembly`. */
export type Wasm<Name extends "Module" | "Memory"> = typeof globalThis extends {
  readonly WebAssembly: { readonly [N in Name]: { readonly prototype: infer Instance } };
}
  ? Instance
  : object;

/*
 * What some platforms declare as classes is no property of `globalThis` for the compiler (Cloudflare's are such), so
 * these have a shape to fall back on. All are the platform's own classes at run time.
 */

export type PlatformURL = Global<"URL", { readonly href: string; readonly protocol: string; toJSON(): string }>;

export type PlatformBlob = Global<"Blob", BlobShape>;

export type PlatformFile = Global<"File", FileShape>;

export type PlatformFileList = Global<"FileList">;

export type PlatformResponse = Global<
  "Response",
  { readonly ok: boolean; readonly status: number; readonly url: string; arrayBuffer(): Promise<ArrayBuffer> }
>;

export type PlatformAbortSignal = Global<
  "AbortSignal",
  {
    readonly aborted: boolean;
    readonly reason: unknown;
    throwIfAborted(): void;
    addEventListener(type: "abort", listener: () => void): void;
    removeEventListener(type: "abort", listener: () => void): void;
  }
>;

/** Beside the DOM's types, what `openAsBlob` of Node gives is a class of another name to the compiler: taken by shape. */
export interface BlobShape {
  readonly size: number;
  readonly type: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  slice(start?: number, end?: number, type?: string): BlobShape;
}

export interface FileShape extends BlobShape {
  readonly name: string;
  readonly lastModified: number;
}

/** A `ReadableStream` of the web, of any platform. */
export interface WebStream<Chunk> {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Chunk | undefined }>;
    releaseLock(): void;
  };
}

/**
 * `Uint8Array<ArrayBuffer>`, as TypeScript from 5.7 on knows it, and `Uint8Array` before: bytes that a `Blob`, a
 * `Response` and `fetch` take.
 */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["of"]>;
