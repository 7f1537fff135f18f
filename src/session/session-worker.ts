/**
 * The script of a session's worker: compiles the network that it is sent, and does what it is asked. It is the script of
 * that session's threads too, so that there is one file to place.
 */

import { SESSION_SCRIPT } from "../backends/wasm/start.ts";
import { isThreadTask, openPort, type Port, runThread } from "../backends/wasm/thread.ts";
import { optionError } from "../core/options.ts";
import type { FloatTensor } from "../core/tensor.ts";
import { bindNetwork } from "./bind-network.ts";
import { checkCompileOptions } from "./compile-options.ts";
import { FarThreads, type ThreadNews } from "./relay.ts";
import { type Answer, type Compiled, isQuestion, PONG, type Question, sentError } from "./remote-messages.ts";
import type { Session } from "./session.ts";

const aborts = new Map<number, AbortController>();
let session: Promise<Session> | undefined;
let threads: FarThreads | undefined;

function isNews(message: unknown): message is ThreadNews {
  return typeof message === "object" && message !== null && "type" in message && message.type === "thread";
}

openPort(SESSION_SCRIPT, (message, port) => {
  if (isThreadTask(message)) return runThread(message, port);
  if (isNews(message)) return threads?.hear(message);
  if (!isQuestion(message)) return;
  const { id } = message;
  if (message.type === "ping") return port.postMessage?.(PONG);
  if (message.type === "abort") return aborts.get(id)?.abort();
  const abort = new AbortController();
  aborts.set(id, abort);
  answer(message, abort.signal, port)
    .then(
      ({ value, buffers = [] }) => send(port, { id, value }, buffers),
      (error: unknown) => send(port, { id, error: sentError(error) }, []),
    )
    .finally(() => aborts.delete(id));
});

/** What an error carries may be of a kind that cannot be sent: then its words are. */
function send(port: Port, answer: Answer, buffers: ArrayBuffer[]): void {
  try {
    port.postMessage?.(answer, buffers);
  } catch (error) {
    const { fields: _fields, cause: _cause, ...words } = answer.error ?? sentError(error);
    port.postMessage?.({ id: answer.id, error: words });
  }
}

interface Given {
  readonly value?: unknown;
  readonly buffers?: ArrayBuffer[];
}

type Asked = Exclude<Question, { readonly type: "abort" | "ping" }>;

async function answer(question: Asked, signal: AbortSignal, port: Port): Promise<Given> {
  if (question.type === "compile") {
    if (session !== undefined) {
      // Who asks has not heard it.
      port.postMessage?.(SESSION_SCRIPT);
      const advice = "Pass worker: () => new Worker(…), a new one at each call.";
      throw optionError("compile", "worker", "a worker for one session", "one that has a session", advice);
    }
    const { network, options } = question;
    const far = new FarThreads((order) => port.postMessage?.(order));
    threads = far;
    session = bindNetwork(network, checkCompileOptions({ ...options, signal }), () => far.make());
    // Said to who asked; whoever asks later is told as well.
    session.catch(() => undefined);
    const { plan } = await session;
    const { bytes, steps: _steps, fallbackSteps: _fallback, inWorker: _where, ...choice } = (await session).explain();
    const value: Compiled = { plan, choice, bytes };
    return { value };
  }
  const bound = await (session as Promise<Session>);
  switch (question.type) {
    case "run": {
      const { taps, ...outputs } = await bound.run(question.input, { signal });
      const value = { outputs: outputs as Readonly<Record<string, FloatTensor>>, taps };
      return { value, buffers: buffersOf([...Object.values(value.outputs), ...Object.values(taps)]) };
    }
    case "replace":
      return { value: await bound.replaceParameters(question.parameters) };
    case "profile":
      return { value: await bound.profile(question.input, { signal, runs: question.runs }) };
  }
}

/** Of outputs, each of which has one of its own. */
function buffersOf(outputs: readonly FloatTensor[]): ArrayBuffer[] {
  return outputs.map(({ data }) => data.buffer as ArrayBuffer);
}
