/** A network in a worker of its own: loaded when one is asked for. */

import {
  type AnyWorker,
  arrivalsOf,
  beside,
  checkPlace,
  checkReturns,
  nodeThreads,
  type OwnFactory,
} from "../backends/wasm/own-worker.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import type { LayerNode } from "../layers/node.ts";
import type { ParameterInfo } from "../layers/parameter-info.ts";
import type { PlannedNetwork } from "../plan/plan.ts";
import type { CheckedOptions } from "./compile-options.ts";
import { Connection } from "./connection.ts";
import { type Compiled, isCompiled } from "./remote-messages.ts";
import type { RemoteAnswers, RemotePlan } from "./remote-plan.ts";

/**
 * Compiles a network in a worker.
 *
 * @param parameters copies, which are not the caller's any more
 * @throws {DepthwiseError} `WORKER_LOST` if the worker cannot be started; what `compile` throws
 */
export async function openRemotePlan(
  { name, inputShape, layers, shapes, outputs, aliases, parameterInfo }: PlannedNetwork,
  parameters: Map<string, FloatTensor>,
  {
    worker = sessionWorker,
    signal,
    modules,
    backend,
    simd,
    threads,
    batch,
    taps,
    fold,
  }: Omit<CheckedOptions, "inWorker">,
): Promise<Pick<Compiled, "plan" | "choice"> & { readonly bound: RemotePlan }> {
  const connection = new Connection(name, worker);
  const given = modules === undefined ? {} : { modules: modules.modules };
  const question = {
    type: "compile" as const,
    network: {
      name,
      inputShape: [...inputShape],
      layers: layers.map((layer) => plain(layer) as LayerNode),
      shapes: new Map([...shapes].map(([node, shape]) => [node, [...shape]])),
      outputs: { ...outputs },
      aliases: { ...aliases },
      parameterInfo: new Map([...parameterInfo].map(([key, info]) => [key, plain(info) as ParameterInfo])),
      parameters,
    },
    options: { backend, simd, threads, batch, taps, fold, ...given },
  };
  try {
    const numbers = Array.from(parameters.values(), ({ data }) => data);
    const compiled = await connection.ask(question, numbers, signal);
    if (!isCompiled(compiled)) throw connection.refuse("its answer is no session");
    const { plan, choice, bytes } = compiled;
    return { plan, choice, bound: remotePlan(connection, bytes) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A copy that can be sent: of a proxy, or of what carries functions too, only the data is wanted. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

function remotePlan(connection: Connection, bytes: number): RemotePlan {
  return {
    bytes,
    async ask(question, numbers, signal, owner) {
      const value = await connection.ask(question, numbers, signal, owner);
      try {
        return (question.type === "run" ? ownTensors(value as Run) : value) as never;
      } catch (cause) {
        throw connection.refuse(cause);
      }
    },
    close: () => connection.close(),
  };
}

type Run = RemoteAnswers["run"];

/** Tensors of our own, of those that were sent. */
function ownTensors({ outputs, taps }: Run): Run {
  const own = (tensors: Run["taps"]) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { data, shape }]) => [name, tensor(data, shape)]));
  return { outputs: own(outputs), taps: own(taps) };
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
  checkReturns();
  return new Worker(new URL("./session-worker.js", import.meta.url), { type: "module" });
}
