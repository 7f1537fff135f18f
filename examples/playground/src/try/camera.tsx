/** A picture by camera: asked for only when the button is pressed, and let go after it. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Fault, faultOf } from "../fault.ts";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";

interface CameraProps {
  readonly onShown: (picture: Blob) => void;
  readonly onFault: (fault: Fault | undefined) => void;
}

export function Camera({ onShown, onFault }: CameraProps) {
  const { words } = useLanguage();
  const { tryIt } = useLater();
  const video = useRef<HTMLVideoElement>(null);
  const [stream, setStream] = useState<MediaStream>();
  const all = useRef<HTMLDivElement>(null);
  /** Whether other buttons stand here than before. */
  const isOther = useRef(false);
  /** Whether somebody waits for the camera: who goes away while it is asked for does not, be it at once. */
  const isHere = useRef(true);
  useLayoutEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
    };
  }, []);
  useLayoutEffect(() => {
    // The button that was pressed is gone, and the focus with it.
    if (isOther.current && document.activeElement === document.body) all.current?.querySelector("button")?.focus();
    isOther.current = true;
  }, [stream]);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream ?? null;
    return () => stop(stream);
  }, [stream]);
  const start = async () => {
    onFault(undefined);
    try {
      // Pages that are not served safely have no such thing.
      if (navigator.mediaDevices === undefined) throw new Error("no camera");
      const found = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (isHere.current) setStream(found);
      else stop(found);
    } catch (error) {
      const isRefused = error instanceof DOMException && error.name === "NotAllowedError";
      onFault({ code: isRefused ? "CAMERA_REFUSED" : "CAMERA_MISSING", message: "" });
    }
  };
  const take = async () => {
    const shown = video.current;
    if (shown === null || shown.videoWidth === 0) return;
    const sheet = new OffscreenCanvas(shown.videoWidth, shown.videoHeight);
    sheet.getContext("2d")?.drawImage(shown, 0, 0);
    setStream(undefined);
    try {
      onShown(await sheet.convertToBlob());
    } catch (error) {
      onFault(faultOf(error));
    }
  };
  return (
    <div ref={all}>
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
