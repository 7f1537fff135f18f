/** Languages of the pictures. */

/** Languages that pictures are drawn in. */
export const PICTURE_LANGUAGES = ["en", "ko"] as const;

/** A language of the pictures. */
export type PictureLanguage = (typeof PICTURE_LANGUAGES)[number];

/** What every picture may be told. */
export interface PictureOptions {
  /** Of words and numbers in it. Default `"en"`. */
  readonly language?: PictureLanguage;
}
