/**
 * The script of a session's worker: compiles the network that it is sent, and does what it is asked. It is the script of
 * that session's threads too, so that there is one file to place.
 */

import type { FloatTensor } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import { bindNetwork } from "./bind-network.ts";
import { checkCompileOptions } from "./compile-options.ts";
import { nodeThreads } from "./own-worker.ts";
import { type Answer, type Compiled, type Question, sentError } from "./remote-messages.ts";
import type { Session } from "./session.ts";
import { openPort, type Port, runThread, type ThreadTask } from "./thread.ts";

const aborts = new Map<number, AbortController>();
let session: Promise<Session> | undefined;

openPort((data, port) => {
  const message = data as Question | ThreadTask;
  if ("program" in message) return runThread(message, port);
  if (message.abort === true) return aborts.get(message.id)?.abort();
  const { id } = message;
  const abort = new AbortController();
  aborts.set(id, abort);
  answer(message, abort.signal)
    .then(
      ({ value, buffers = [] }) => send(port, { id, value }, buffers),
      (error: unknown) => send(port, { id, error: sentError(error) }, []),
    )
    .finally(() => aborts.delete(id));
});

/** What an error carries may be of a kind that cannot be sent: then its words are. */
function send(port: Port, answer: Answer, buffers: readonly ArrayBuffer[]): void {
  try {
    port.postMessage(answer, buffers);
  } catch (error) {
    port.postMessage({ id: answer.id, error: { ...sentError(error), ...answer.error, fields: {} } });
  }
}

interface Given {
  readonly value?: unknown;
  readonly buffers?: readonly ArrayBuffer[];
}

async function answer({ compile, run, profile, replace }: Question, signal: AbortSignal): Promise<Given> {
  if (compile !== undefined) {
    const { network, options } = compile;
    session = bindNetwork(network as Network, checkCompileOptions({ ...options, signal }), selfWorker);
    // Said to who asked; whoever asks later is told as well.
    session.catch(() => undefined);
    const { plan } = await session;
    const { bytes, steps, fallbackSteps, inWorker, ...choice } = (await session).explain();
    const value: Compiled = { plan, choice, bytes };
    return { value };
  }
  const bound = await (session as Promise<Session>);
  if (run !== undefined) {
    const { taps, ...outputs } = await bound.run(run, { signal });
    const all = { outputs: outputs as Readonly<Record<string, FloatTensor>>, taps };
    return { value: all, buffers: buffersOf([...Object.values(all.outputs), ...Object.values(taps)]) };
  }
  if (replace !== undefined) return { value: await bound.replaceParameters(new Map(replace)) };
  const { input, runs = 1 } = profile ?? {};
  return { value: await bound.profile(input, { signal, runs }) };
}

/** Of outputs, each of which has one of its own. */
function buffersOf(outputs: readonly FloatTensor[]): ArrayBuffer[] {
  return outputs.map(({ data }) => data.buffer as ArrayBuffer);
}

/** Another worker of this script, for a thread of the session. */
function selfWorker(): unknown {
  const node = nodeThreads();
  // In a worker of Node the first argument is its script.
  if (node !== undefined) return new node.Worker(process.argv[1] ?? "", { execArgv: [] });
  return new Worker(location.href, { type: isClassic() ? "classic" : "module" });
}

/** Some bundlers make classic workers of modules. In a module `importScripts` is a TypeError, here of an empty script. */
function isClassic(): boolean {
  try {
    Reflect.get(globalThis, "importScripts")("data:text/javascript,");
    return true;
  } catch (error) {
    // Of a policy that refuses it, in a classic worker, it is another.
    return !(error instanceof TypeError);
  }
}
