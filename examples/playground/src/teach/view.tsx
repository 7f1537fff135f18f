/** Section 5: three things of one's own, learnt from a few pictures of each. */

import type { Prediction } from "depthwise";
import { useEffect, useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { Shown, Taught } from "../compute/messages.ts";
import { type Fault, faultOf } from "../fault.ts";
import { useLanguage } from "../language.tsx";
import { useLater } from "../later.ts";
import { Bars } from "../parts/bars.tsx";
import { Button } from "../parts/button.tsx";
import { Choice } from "../parts/controls.tsx";
import { FileInput } from "../parts/file-input.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Camera } from "../try/camera.tsx";
import { Drawing } from "../try/drawing.tsx";
import { Photo } from "../try/photo.tsx";
import type { ViewProps } from "../view.ts";
import { type Box, boxesOf, isTaken, placeName, shownName, titleOf } from "./things.ts";

export default function Teach({ state, set }: ViewProps) {
  const { words, number, name: language } = useLanguage();
  const { teach, tryIt } = useLater();
  const { knows } = state;
  const [taught, setTaught] = useState<Taught>({ classes: [] });
  const [boxes, setBoxes] = useState(() => boxesOf({ classes: [] }));
  const [picture, setPicture] = useState<Shown>();
  const [answers, setAnswers] = useState<readonly Prediction[]>([]);
  /** Several may be on their way: another network is chosen while the first still comes. */
  const [running, setRunning] = useState(0);
  const isBusy = running > 0;
  const [fault, setFault] = useState<Fault>();

  const begin = (found: Taught) => {
    setTaught(found);
    // A name that was typed while nothing is learnt stays.
    const isSame = (before: readonly Box[]) => found.classes.length === 0 && !before.some(({ isLearnt }) => isLearnt);
    setBoxes((before) => (isSame(before) ? before : boxesOf(found)));
  };
  const fail = (error: unknown) => {
    const found = faultOf(error);
    setFault(found);
    // With the worker went all that it had been shown.
    if (found.code === "WORKER_LOST" || found.code === "NOT_OPEN") begin({ classes: [] });
  };
  /** What is said of it meanwhile. */
  const [told, setTold] = useState("");
  /** What uses or changes what is known; what goes wrong is said, and the page goes on. */
  const work = async (saying: string, task: () => Promise<void>) => {
    setRunning((before) => before + 1);
    setTold(saying);
    setFault(undefined);
    try {
      await task();
    } catch (error) {
      fail(error);
    } finally {
      setRunning((before) => before - 1);
    }
  };
  const load = (question: () => Promise<Taught>) => work(words.loading, async () => begin(await question()));
  useEffect(() => {
    setPicture(undefined);
    load(() => ask("teach", { network: knows }));
  }, [knows]);
  const isReady = taught.classes.filter(({ examples }) => examples > 0).length > 1;
  useEffect(() => {
    if (picture === undefined || !isReady) return setAnswers([]);
    const stale = new AbortController();
    ask("askShots", { picture }, stale.signal).then(setAnswers, (error) => stale.signal.aborted || fail(error));
    return () => stale.abort();
  }, [picture, taught]);

  const change = (place: number, box: Box) => setBoxes((before) => before.with(place, box));
  const add = (place: number, label: string, pictures: readonly Shown[]) =>
    work(teach.training, async () => {
      setTaught(await ask("addShots", { network: knows, label, pictures }));
      change(place, { name: label, isLearnt: true });
    });
  const remove = (place: number, label: string) =>
    work(teach.training, async () => {
      setTaught(await ask("removeShots", { label }));
      change(place, { name: label, isLearnt: false });
    });
  return (
    <>
      <p class="lead">{teach.lead}</p>
      <section class="panel" aria-label={teach.network}>
        <Choice
          label={teach.network}
          value={knows}
          names={[
            ["cifar10", tryIt.cifar10],
            ["digits", tryIt.digits],
          ]}
          onChange={(name) => set({ knows: name })}
        />
        <Button isOff={!isReady || isBusy} onClick={() => work(words.loading, saveTaught)}>
          {teach.save}
        </Button>
        <FileInput
          label={teach.load}
          accept=".safetensors"
          name="taught-input"
          isOff={isBusy}
          onFiles={([file]) => load(() => ask("loadShots", { network: knows, file }))}
        />
        <Button
          isOff={taught.classes.length === 0 || isBusy}
          onClick={() => load(() => ask("teach", { network: knows, isAnew: true }))}
        >
          {teach.anew}
        </Button>
        {isBusy && <p role="status">{told}</p>}
      </section>
      <Trouble fault={fault} />
      <div class="routes">
        <section class="route" aria-label={teach.ask}>
          <h3>{teach.ask}</h3>
          {knows === "digits" ? (
            <Drawing onDrawn={setPicture} onFault={setFault} />
          ) : (
            <>
              <Photo picture={picture} onShown={setPicture} onFault={setFault} />
              <Camera onShown={setPicture} onFault={setFault} />
            </>
          )}
        </section>
        <section class="route" aria-label={tryIt.answer}>
          <h3>{tryIt.answer}</h3>
          <p class="note" role="status">
            {isReady
              ? teach.learnt(taught.classes.map(({ label }) => shownName(label, language)).join(", "))
              : teach.needs}
          </p>
          <Bars
            predictions={answers.map((answer) => ({ ...answer, label: shownName(answer.label, language) }))}
            name="predictions"
          />
        </section>
      </div>
      <div class="things">
        {boxes.map((box, place) => {
          const label = box.name ?? placeName(place, language);
          const examples = taught.classes.find((one) => box.isLearnt && one.label === label)?.examples ?? 0;
          const isOther = isTaken(boxes, place, language);
          const isOff = label === "" || isOther || isBusy;
          return (
            <section key={placeName(place, language)} class="route" aria-label={placeName(place, language)}>
              <label class="file">
                {teach.name}
                <input
                  value={titleOf(box, place, language)}
                  disabled={box.isLearnt}
                  onInput={(event) => change(place, { name: event.currentTarget.value, isLearnt: false })}
                />
              </label>
              {isOther && <p role="status">{teach.taken}</p>}
              <p>{teach.examples(number(examples))}</p>
              <div class="buttons">
                <Button isOff={picture === undefined || isOff} onClick={() => picture && add(place, label, [picture])}>
                  {teach.add}
                </Button>
                <Button isOff={!box.isLearnt || isBusy} onClick={() => remove(place, label)}>
                  {teach.clear}
                </Button>
              </div>
              {knows !== "digits" && (
                <FileInput
                  label={teach.files}
                  accept="image/*"
                  multiple
                  isOff={isOff}
                  onFiles={(files) => add(place, label, files)}
                />
              )}
            </section>
          );
        })}
      </div>
    </>
  );
}

/** As a file of the reader's own. */
async function saveTaught(): Promise<void> {
  const url = URL.createObjectURL(new Blob([await ask("saveShots", {})]));
  Object.assign(document.createElement("a"), { href: url, download: "things.safetensors" }).click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
