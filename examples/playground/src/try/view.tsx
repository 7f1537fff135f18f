/** Section 4: networks that know something, and pictures to ask them about. */

import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { Answered, BuiltIn, Opened, Shown } from "../compute/messages.ts";
import { type Fault, faultOf } from "../fault.ts";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";
import { Choice } from "../parts/controls.tsx";
import { FileInput } from "../parts/file-input.tsx";
import { Trouble } from "../parts/trouble.tsx";
import type { ViewProps } from "../view.ts";
import { Camera } from "./camera.tsx";
import { Description } from "./description.tsx";
import { Drawing } from "./drawing.tsx";
import { Inside } from "./inside.tsx";
import { Photo } from "./photo.tsx";
import { Predictions } from "./predictions.tsx";

const TOP_K = 5;

type Source = BuiltIn | readonly File[];

export default function Try({ state, set }: ViewProps) {
  const { words } = useLanguage();
  const [opened, setOpened] = useState<Opened>();
  const [picture, setPicture] = useState<Shown>();
  const [answered, setAnswered] = useState<Answered>();
  const [fault, setFault] = useState<Fault>();
  /** What was to be opened and could not be. */
  const [closed, setClosed] = useState<Source>();
  const [isBusy, setBusy] = useState(false);
  /** Counts what was asked to open: of the newest alone it is said how it goes. */
  const turn = useRef(0);
  const { model } = state;
  /** What is chosen now, for those who have waited. */
  const chosen = useRef(model);
  chosen.current = model;

  const show = (next: Shown | undefined) => {
    // A picture that was long on its way is not for the network that is chosen since.
    if (model !== chosen.current) return;
    setPicture(next);
    if (next === undefined) setAnswered(undefined);
  };
  const open = async (source: Source, signal?: AbortSignal) => {
    const mine = ++turn.current;
    setBusy(true);
    setFault(undefined);
    setClosed(undefined);
    try {
      const found = await ask("open", { source }, signal);
      // The worker has this one now, even if another is asked for already: that one may fail, and then this one answers.
      setOpened(model === chosen.current ? found : undefined);
      setAnswered(undefined);
    } catch (error) {
      if (mine !== turn.current) return;
      // An answer of the network before would look like one of this.
      show(undefined);
      setFault(faultOf(error));
      setClosed(source);
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  };
  useEffect(() => {
    show(undefined);
    setOpened(undefined);
    setFault(undefined);
    setClosed(undefined);
    const stale = new AbortController();
    if (model !== "own") open(model, stale.signal);
    return () => {
      // What is still opening is no longer waited for.
      stale.abort();
      turn.current++;
      setBusy(false);
    };
  }, [model]);
  useEffect(() => {
    if (picture === undefined || opened === undefined) return;
    const stale = new AbortController();
    setFault(undefined);
    ask("classify", { picture, topK: TOP_K }, stale.signal).then(setAnswered, (error) => {
      if (stale.signal.aborted) return;
      setAnswered(undefined);
      setFault(faultOf(error));
    });
    return () => stale.abort();
  }, [picture, opened]);

  const { tryIt } = useLater();
  const best = answered?.predictions[0];
  return (
    <>
      <p class="lead">{tryIt.lead}</p>
      <section class="panel" aria-label={tryIt.network}>
        <Choice
          label={tryIt.network}
          value={model}
          names={[
            ["digits", tryIt.digits],
            ["cifar10", tryIt.cifar10],
            ["own", tryIt.own],
          ]}
          onChange={(name) => set({ model: name })}
        />
        {model === "own" && (
          <FileInput label={tryIt.weights} multiple name="weights-input" onFiles={(files) => open(files)} />
        )}
        {isBusy && <p role="status">{words.loading}</p>}
      </section>
      <Trouble fault={fault} onRetry={closed && (() => open(closed))} />
      <div class="routes">
        <section class="route" aria-label={tryIt.picture}>
          <h3>{tryIt.picture}</h3>
          {model === "digits" ? (
            <Drawing onDrawn={show} onFault={setFault} />
          ) : (
            <>
              <Photo picture={picture} onShown={show} onFault={setFault} />
              <Camera onShown={show} onFault={setFault} />
            </>
          )}
        </section>
        <section class="route" aria-label={tryIt.answer}>
          <h3>{tryIt.answer}</h3>
          <Predictions answered={answered} />
        </section>
      </div>
      {opened !== undefined && picture !== undefined && best !== undefined && (
        <Inside opened={opened} picture={picture} best={best} onFault={setFault} />
      )}
      {opened !== undefined && <Description opened={opened} />}
    </>
  );
}
