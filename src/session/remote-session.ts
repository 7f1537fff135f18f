/** A session in a worker of its own, as the thread that asks sees it: it copies numbers, and computes none. */

import { allocated } from "../core/memory.ts";
import { type FloatTensor, type Tensor, tensor } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import { heldParameters } from "../plan/plan.ts";
import type { BoundPlan, Parameters } from "./backend.ts";
import type { CheckedOptions } from "./compile-options.ts";
import { Connection } from "./connection.ts";
import { checkInput, type NumberArray } from "./input.ts";
import { type AnyWorker, checkPlace, nodeThreads } from "./own-worker.ts";
import type { Profile, ProfileOptions } from "./profile.ts";
import { buffersOf, type Compiled } from "./remote-messages.ts";
import {
  type AnyOutput,
  checkedParameters,
  checkedProfile,
  checkedRun,
  copyIn,
  type Explanation,
  type RunOptions,
  type RunResult,
  Session,
} from "./session.ts";

/**
 * Compiles a network in a worker.
 *
 * @param parameters whose numbers are copied
 * @throws {DepthwiseError} `WORKER_LOST` if the worker cannot be started; what `compile` throws
 */
export async function openRemote(
  network: Network,
  parameters: Parameters,
  { worker, signal, modules, backend, simd, threads, batch, taps, fold }: CheckedOptions,
): Promise<Session> {
  signal?.throwIfAborted();
  const { name, inputShape, layers, shapes, outputs, aliases, parameterInfo } = network;
  const copies = copyParameters(name, network, parameters);
  const connection = new Connection(name, worker ?? sessionWorker);
  const given = modules === undefined ? {} : { modules: modules.modules };
  const compile = {
    network: { name, inputShape, layers, shapes, outputs, aliases, parameterInfo, parameters: copies },
    options: { backend, simd, threads, batch, taps, fold, ...given },
  };
  try {
    const compiled = (await connection.ask({ compile }, buffersOf(copies.values()), signal)) as Compiled;
    return new RemoteSession(compiled, connection);
  } catch (error) {
    connection.close();
    throw error;
  }
}

class RemoteSession extends Session {
  readonly #connection: Connection;

  constructor({ plan, choice, bytes }: Compiled, connection: Connection) {
    const close = () => connection.close();
    super(plan, choice, { ...NOTHING, bytes, threads: choice.threads, close });
    this.#connection = connection;
  }

  override get arenaBytes(): number {
    return this.#connection.isClosed ? 0 : 4 * this.plan.arenaElements;
  }

  override explain(): Explanation {
    return { ...super.explain(), inWorker: true };
  }

  override async run(input: Tensor | NumberArray, options: RunOptions = {}): Promise<RunResult<AnyOutput, string>> {
    const { signal } = checkedRun(options);
    this.#connection.checkOpen();
    const { data } = checkInput(this.plan, input);
    const copy = copyIn(data);
    const result = await this.#connection.ask({ run: copy }, [copy.buffer as ArrayBuffer], signal, this);
    const { outputs, taps } = result as Readonly<Record<"outputs" | "taps", Readonly<Record<string, FloatTensor>>>>;
    return { ...received(outputs), taps: received(taps) };
  }

  override async replaceParameters(parameters: Map<string, FloatTensor>): Promise<void> {
    this.#connection.checkOpen();
    checkedParameters(this.plan, parameters);
    const copies = copyParameters(this.plan.network, this.plan, parameters);
    await this.#connection.ask({ replace: copies }, buffersOf(copies.values()), undefined, this);
  }

  override async profile(input?: Tensor | NumberArray, options: ProfileOptions = {}): Promise<Profile> {
    const { signal, runs } = checkedProfile(options);
    this.#connection.checkOpen();
    const copy = input === undefined ? undefined : copyIn(checkInput(this.plan, input).data);
    const buffers = copy === undefined ? [] : [copy.buffer as ArrayBuffer];
    return (await this.#connection.ask({ profile: { input: copy, runs } }, buffers, signal, this)) as Profile;
  }
}

/** What a session asks of a backend, of one that is elsewhere. */
const NOTHING: Omit<BoundPlan, "bytes" | "threads" | "close"> = {
  arena: new Float32Array(0),
  stages: [],
  run: () => undefined,
  replace: () => undefined,
};

function sessionWorker(): AnyWorker {
  const node = nodeThreads();
  checkPlace(node, import.meta.url);
  if (node !== undefined) return new node.Worker(new URL("./session-worker.js", import.meta.url), { execArgv: [] });
  return new Worker(new URL("./session-worker.js", import.meta.url), { type: "module" }) as object as AnyWorker;
}

function copyParameters(network: string, info: Pick<Network, "parameterInfo">, parameters: Parameters): Parameters {
  const bytes = Array.from(parameters.values(), ({ data }) => data.byteLength).reduce((sum, next) => sum + next, 0);
  const copy = (data: Float32Array) => new Float32Array(data);
  const advice = "Pass inWorker: false, which needs no copy, or close what is not needed.";
  return allocated(`${network}: a copy of the parameters`, bytes, advice, () =>
    heldParameters(info, new Map(parameters), copy),
  );
}

/** Tensors of our own, of those that were sent. */
function received(tensors: Readonly<Record<string, FloatTensor>>): Record<string, FloatTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, { data, shape }]) => [name, tensor(data, shape)]));
}
