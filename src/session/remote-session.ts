/** A network in a worker of its own: loaded when one is asked for. */

import { type FloatTensor, tensor } from "../core/tensor.ts";
import type { BoundPlan, Parameters } from "./backend.ts";
import type { CheckedOptions } from "./compile-options.ts";
import { Connection } from "./connection.ts";
import { type AnyWorker, arrivalsOf, beside, checkPlace, nodeThreads, type OwnFactory } from "./own-worker.ts";
import type { Compiled, SentNetwork } from "./remote-messages.ts";

/**
 * Compiles a network in a worker.
 *
 * @param parameters copies, which are not the caller's any more
 * @throws {DepthwiseError} `WORKER_LOST` if the worker cannot be started; what `compile` throws
 */
export async function openRemote(
  { name, inputShape, layers, shapes, outputs, aliases, parameterInfo }: Omit<SentNetwork, "parameters">,
  parameters: Parameters,
  { worker = sessionWorker, signal, modules, backend, simd, threads, batch, taps, fold }: CheckedOptions,
): Promise<Pick<Compiled, "plan" | "choice"> & { readonly bound: BoundPlan }> {
  const connection = new Connection(name, worker);
  const given = modules === undefined ? {} : { modules: modules.modules };
  const compile = {
    network: { name, inputShape, layers, shapes, outputs, aliases, parameterInfo, parameters },
    options: { backend, simd, threads, batch, taps, fold, ...given },
  };
  try {
    const numbers = Array.from(parameters.values(), ({ data }) => data);
    const { plan, choice, bytes } = (await connection.ask({ compile }, numbers, signal)) as Compiled;
    return { plan, choice, bound: boundTo(connection, bytes, choice.threads) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function boundTo(connection: Connection, bytes: number, threads: number): BoundPlan {
  return {
    arena: new Float32Array(0),
    stages: [],
    run: () => undefined,
    replace: () => undefined,
    bytes,
    threads,
    async ask(question, numbers, signal, owner) {
      const value = await connection.ask(question, numbers, signal, owner);
      return question.run === undefined ? value : received(value as Received);
    },
    close: () => connection.close(),
  };
}

type Tensors = Readonly<Record<string, FloatTensor>>;
interface Received {
  readonly outputs: Tensors;
  readonly taps: Tensors;
}

/** Tensors of our own, of those that were sent. */
function received({ outputs, taps }: Received) {
  const own = (tensors: Tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { data, shape }]) => [name, tensor(data, shape)]));
  return { ...own(outputs), taps: own(taps) };
}

const SCRIPT = "session-worker.js";
const sessionWorker: OwnFactory = /* @__PURE__ */ Object.assign(makeWorker, {
  arrivals: () => arrivalsOf(import.meta.url, SCRIPT),
});

function makeWorker(): AnyWorker {
  const node = nodeThreads();
  checkPlace(node, import.meta.url);
  // Computed: spelled out, Vite and webpack would copy the script once more, unminified, and into pages without sessions.
  if (node !== undefined) return new node.Worker(new URL(beside(import.meta.url, SCRIPT)), { execArgv: [] });
  return new Worker(new URL("./session-worker.js", import.meta.url), { type: "module" }) as object as AnyWorker;
}
