/** A picture by camera: asked for only when the button is pressed, and let go after it. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../language.tsx";

interface CameraProps {
  readonly onShown: (picture: Blob) => void;
  readonly onTrouble: (message: string | undefined) => void;
}

export function Camera({ onShown, onTrouble }: CameraProps) {
  const { words } = useLanguage();
  const { tryIt } = words;
  const video = useRef<HTMLVideoElement>(null);
  const [stream, setStream] = useState<MediaStream>();
  const isGone = useRef(false);
  useLayoutEffect(() => {
    isGone.current = false;
    return () => {
      isGone.current = true;
    };
  }, []);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream ?? null;
    return () => stop(stream);
  }, [stream]);
  const start = async () => {
    onTrouble(undefined);
    try {
      // Pages that are not served safely have no such thing.
      if (navigator.mediaDevices === undefined) throw new Error("no camera");
      const allowed = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      // Allowed when nobody waits for it any more: nothing else would ever switch it off.
      if (isGone.current) stop(allowed);
      else setStream(allowed);
    } catch (error) {
      const isRefused = error instanceof DOMException && error.name === "NotAllowedError";
      onTrouble(isRefused ? tryIt.cameraRefused : tryIt.cameraMissing);
    }
  };
  const take = async () => {
    const shown = video.current;
    if (shown === null || shown.videoWidth === 0) return;
    const sheet = new OffscreenCanvas(shown.videoWidth, shown.videoHeight);
    sheet.getContext("2d")?.drawImage(shown, 0, 0);
    setStream(undefined);
    onShown(await sheet.convertToBlob());
  };
  return (
    <div class="camera">
      {stream === undefined ? (
        <button type="button" onClick={start}>
          {tryIt.camera}
        </button>
      ) : (
        <>
          <video ref={video} autoplay playsinline muted />
          <button type="button" onClick={take}>
            {tryIt.take}
          </button>
          <button type="button" onClick={() => setStream(undefined)}>
            {words.close}
          </button>
        </>
      )}
    </div>
  );
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
