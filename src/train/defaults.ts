/** What a run of training does where nobody says otherwise. */

export const DEFAULT_EPOCHS = 10;
/** Examples of an update, or all there are. */
export const DEFAULT_BATCH = 32;
