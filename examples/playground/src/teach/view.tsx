/** Section 5: three things of one's own, learnt from a few pictures of each. */

import type { Prediction } from "depthwise";
import { useEffect, useState } from "preact/hooks";
import { ask } from "../compute/client.ts";
import type { Shown, Taught } from "../compute/messages.ts";
import { useLanguage } from "../language.tsx";
import { Choice } from "../parts/controls.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Camera } from "../try/camera.tsx";
import { Drawing } from "../try/drawing.tsx";
import { Photo } from "../try/photo.tsx";
import type { ViewProps } from "../view.ts";

const THINGS = [1, 2, 3] as const;

export default function Teach({ state, set }: ViewProps) {
  const { words, number } = useLanguage();
  const { teach, tryIt } = words;
  const { knows } = state;
  const [names, setNames] = useState<readonly string[]>(THINGS.map((thing) => teach.class(number(thing))));
  const [taught, setTaught] = useState<Taught>({ classes: [] });
  const [picture, setPicture] = useState<Shown>();
  const [answers, setAnswers] = useState<readonly Prediction[]>([]);
  const [running, setRunning] = useState(0);
  const isBusy = running > 0;
  const [trouble, setTrouble] = useState<string>();

  /** What is asked for in turn; what goes wrong is said, and the page goes on. */
  const run = async (work: () => Promise<void>) => {
    setRunning((before) => before + 1);
    setTrouble(undefined);
    try {
      await work();
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    } finally {
      setRunning((before) => before - 1);
    }
  };
  useEffect(() => {
    setPicture(undefined);
    setAnswers([]);
    run(async () => setTaught(await ask("teach", { network: knows })));
  }, [knows]);
  const isReady = taught.classes.filter(({ examples }) => examples > 0).length > 1;
  useEffect(() => {
    if (picture === undefined || !isReady) {
      setAnswers([]);
      return undefined;
    }
    let isCurrent = true;
    run(async () => {
      const found = await ask("askShots", { picture });
      if (isCurrent) setAnswers(found);
    });
    return () => {
      isCurrent = false;
    };
  }, [picture, taught]);

  const add = (thing: number, label: string, pictures: readonly Shown[]) =>
    run(async () => {
      setTaught(await ask("addShots", { label, pictures }));
      // The name that it was learnt by, whatever was typed meanwhile: by another nobody could remove it.
      setNames((before) => before.with(thing, label));
    });
  const examplesOf = (label: string) => taught.classes.find((one) => one.label === label)?.examples ?? 0;
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
        <button type="button" disabled={!isReady || isBusy} onClick={() => run(saveTaught)}>
          {teach.save}
        </button>
        <label class="file">
          {teach.load}
          <input
            type="file"
            accept=".safetensors"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file === undefined) return;
              run(async () => {
                const found = await ask("loadShots", { file });
                setTaught(found);
                setNames(THINGS.map((_, i) => found.classes[i]?.label ?? teach.class(number(i + 1))));
              });
            }}
          />
        </label>
        {isBusy && <p role="status">{teach.training}</p>}
      </section>
      <Trouble message={trouble} />
      <div class="routes">
        <section class="route" aria-label={teach.ask}>
          <h3>{teach.ask}</h3>
          {knows === "digits" ? (
            <Drawing onDrawn={setPicture} />
          ) : (
            <>
              <Photo picture={picture} onShown={setPicture} />
              <Camera onShown={setPicture} onTrouble={setTrouble} />
            </>
          )}
        </section>
        <section class="route" aria-label={tryIt.answer}>
          <h3>{tryIt.answer}</h3>
          <p class="note" role="status">
            {isReady ? teach.learnt(taught.classes.map(({ label }) => label).join(", ")) : teach.needs}
          </p>
          <ol class="bars">
            {answers.map(({ label, probability }) => (
              <li key={label}>
                <span>{label}</span>
                <meter min={0} max={1} value={probability} aria-label={label} />
                <span class="number">{number(100 * probability, 1)} %</span>
              </li>
            ))}
          </ol>
        </section>
      </div>
      <div class="things">
        {THINGS.map((thing, i) => {
          const label = names[i] ?? "";
          const examples = examplesOf(label);
          return (
            <section key={thing} class="route" aria-label={teach.class(number(thing))}>
              <label class="file">
                {teach.name}
                <input
                  value={label}
                  disabled={examples > 0}
                  onInput={(event) => {
                    const { value } = event.currentTarget;
                    setNames((before) => before.with(i, value));
                  }}
                />
              </label>
              <p>{teach.examples(number(examples))}</p>
              <div class="buttons">
                <button
                  type="button"
                  disabled={picture === undefined || label === "" || isBusy}
                  onClick={() => picture && add(i, label, [picture])}
                >
                  {teach.add}
                </button>
                <button
                  type="button"
                  disabled={examples === 0 || isBusy}
                  onClick={() => run(async () => setTaught(await ask("removeShots", { label })))}
                >
                  {teach.clear}
                </button>
              </div>
              {knows !== "digits" && (
                <label class="file">
                  {teach.files}
                  <input
                    type="file"
                    accept="image/*"
                    multiple
                    disabled={label === ""}
                    onChange={(event) => {
                      const files = [...(event.currentTarget.files ?? [])];
                      if (files.length > 0) add(i, label, files);
                    }}
                  />
                </label>
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
