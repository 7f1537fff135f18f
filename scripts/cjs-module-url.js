/** What stands for `import.meta.url` in the CommonJS build; a bundle for browsers has neither, and passes `worker`. */

const ownUrl = () =>
  typeof __filename === "string"
    ? globalThis.process?.getBuiltinModule?.("node:url").pathToFileURL(__filename).href
    : undefined;

export const moduleUrl = /* @__PURE__ */ ownUrl();
