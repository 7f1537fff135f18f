/** What files of pictures are called. */
export const IMAGE_NAME: RegExp = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i;
