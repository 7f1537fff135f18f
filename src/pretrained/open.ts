/** From the text of a module to a network. */

import { type LoadedModel, type LoadOptions, loadModel } from "../weights/load-model.ts";

/** @param text a file as `saveModel` writes it, in base64 @param name what errors and `origin` call it */
export async function openPretrained<const Options extends LoadOptions>(
  name: string,
  text: string,
  options: Options | undefined,
): Promise<LoadedModel<Options>> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return loadModel(new File([bytes], `${name}.safetensors`), options);
}
