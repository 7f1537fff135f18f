/** Signs on buttons, drawn: fonts do not all have them. */

const PATHS = {
  first: "M5 5v14M19 5l-10 7 10 7z",
  backCell: "M12 5l-9 7 9 7zM21 5l-9 7 9 7z",
  back: "M16 5l-10 7 10 7z",
  play: "M7 4l12 8-12 8z",
  pause: "M7 5h3v14H7zM14 5h3v14h-3z",
  next: "M8 5l10 7-10 7z",
  nextCell: "M3 5l9 7-9 7zM12 5l9 7-9 7z",
  last: "M19 5v14M5 5l10 7-10 7z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
