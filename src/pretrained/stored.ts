/** From the text of a module to a file. */

/**
 * The file as `npm run make:…` wrote it.
 *
 * @param text its bytes in base64
 */
export function storedFile(name: string, text: string): File {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return new File([bytes], `${name}.safetensors`);
}
