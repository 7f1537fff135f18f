/** A picture of one's own: a file, dropped or pasted; or one that is there. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Shown } from "../compute/messages.ts";
import type { Fault } from "../fault.ts";
import { useLater } from "../later.ts";
import { FileInput } from "../parts/file-input.tsx";
import { fetched } from "./fetched.ts";

const EXAMPLES = Object.entries(
  import.meta.glob<string>(["../../../drawings/*.png", "!../../../drawings/digit-*.png"], {
    eager: true,
    query: "?url",
    import: "default",
  }),
).map(([path, url]) => ({ name: path.replace(/^.*\/|\.png$/g, ""), url }));

interface PhotoProps {
  readonly picture: Shown | undefined;
  readonly onShown: (picture: Blob) => void;
  readonly onFault: (fault: Fault | undefined) => void;
}

export function Photo({ picture, onShown, onFault }: PhotoProps) {
  const { tryIt } = useLater();
  const [isOver, setOver] = useState(false);
  const url = useMemo(() => (picture instanceof Blob ? URL.createObjectURL(picture) : undefined), [picture]);
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);
  useEffect(() => {
    const onPaste = ({ clipboardData }: ClipboardEvent) => {
      const [file] = clipboardData?.files ?? [];
      if (file !== undefined) onShown(file);
    };
    addEventListener("paste", onPaste);
    return () => removeEventListener("paste", onPaste);
  }, [onShown]);
  const ready = async (place: string) => {
    const file = await fetched(place, onFault);
    if (file !== undefined) onShown(file);
  };
  return (
    <section
      aria-label={tryIt.photo}
      class={isOver ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const [file] = event.dataTransfer?.files ?? [];
        if (file !== undefined) onShown(file);
      }}
    >
      <FileInput
        label={tryIt.photo}
        accept="image/*"
        shown={picture}
        name="photo-input"
        onFiles={([file]) => onShown(file)}
      />
      <p class="note">{tryIt.drop}</p>
      <p>{tryIt.examples}</p>
      <div class="thumbs">
        {EXAMPLES.map(({ name, url: place }) => (
          <button key={name} type="button" onClick={() => ready(place)}>
            <img src={place} width={48} height={48} alt={tryIt.drawingOf(name)} />
          </button>
        ))}
      </div>
      {url && <img class="shown" src={url} alt={tryIt.shown} />}
    </section>
  );
}
