import { setTimeout as sleep } from 'node:timers/promises';
import {
  createReplySchema,
  ownerHeader,
  podStatusSchema,
  routes,
  sessionHeader,
  type Capabilities,
  type CreateReply,
  type Leg,
  type PodStatus,
  type RouteName,
} from '@interlink/contract';
import { z } from 'zod';
import { json, ok } from './answer.ts';
import { check, Failure, same, show } from './check.ts';
import type { CreatedPods } from './created-pods.ts';
import { EventReader } from './event-reader.ts';
import { logBody } from './log-body.ts';
import type { Answer, Peer, PeerRequest } from './peer.ts';
import { createBody, podRef, testPod, type TestPod, type TestPodOptions } from './test-pod.ts';

/** What all cases of a run have in common. */
export interface Target {
  readonly peer: Peer;
  readonly leg: Leg;
  /** A runnable image with `sh`. */
  readonly image: string;
  readonly owner: string;
  readonly otherOwner: string;
  /** Undefined at a classic plugin. */
  readonly capabilities: Capabilities | undefined;
}

/** What outlives a case: values that a later one may want too, and the pods made for them. */
export interface Shared {
  readonly made: Map<string, Promise<unknown>>;
  readonly pods: CreatedPods;
}

export interface CaseRun {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly created: CreatedPods;
  readonly shared: Shared;
}

export interface CallOptions {
  readonly owner?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What one case is given: the target, and the calls of the contract in the form that the leg has them. */
export class CaseContext {
  readonly target: Target;
  /** Ends at the case's deadline, or when the run is interrupted. */
  readonly signal: AbortSignal;
  readonly #run: CaseRun;
  readonly #readers: EventReader[] = [];
  /** Shown beside a row that passed. */
  note: string | undefined;

  constructor(target: Target, run: CaseRun) {
    this.target = target;
    this.signal = run.signal;
    this.#run = run;
  }

  /** Hangs up what is still open. */
  close(): void {
    for (const reader of this.#readers) reader.cut();
  }

  /** Made by the first case that wants it and kept for the others of the run, which saves a slow site many jobs. */
  async shared<T>(key: string, make: (context: CaseContext) => Promise<T>): Promise<T> {
    const { shared } = this.#run;
    const create = () =>
      make(new CaseContext(this.target, { ...this.#run, id: `shared.${key}`, created: shared.pods }));
    const made = shared.made.get(key) ?? create();
    shared.made.set(key, made);
    try {
      return (await made) as T;
    } catch (error) {
      // The next case shall try for itself.
      shared.made.delete(key);
      throw error;
    }
  }

  request(route: RouteName, body: string | undefined, options: CallOptions = {}): PeerRequest {
    const { owner = this.target.owner, headers = {} } = options;
    const methods: { readonly [leg in Leg]?: string } = routes[route].method;
    return {
      method: (options.method ?? methods[this.target.leg] ?? 'get').toUpperCase(),
      path: routes[route].path,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        [ownerHeader]: owner,
        [sessionHeader]: `conformance-${this.#run.id}`,
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: this.signal,
    };
  }

  /** A string is sent as it is, anything else as JSON. */
  call(route: RouteName, body?: unknown, options?: CallOptions): Promise<Answer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return this.target.peer.send(this.request(route, text, options));
  }

  /** A path of its own, without a body. */
  get(path: string, withCredentials = true): Promise<Answer> {
    const { headers = {} } = this.request('capabilities', undefined);
    return this.target.peer.send({ method: 'GET', path, headers, signal: this.signal, withCredentials });
  }

  /** A pod that the target has not heard of yet. */
  pod(options: TestPodOptions): TestPod {
    return testPod(this.target.image, this.#run.id.replaceAll('.', '-'), options);
  }

  /** Sends a create and takes note of the pod for the clean-up. */
  async sendCreate(pod: TestPod, body: unknown = createBody(this.target.leg, pod), owner?: string): Promise<Answer> {
    this.#run.created.add(pod, owner ?? this.target.owner);
    return this.call('create', body, owner === undefined ? {} : { owner });
  }

  async create(pod: TestPod, owner?: string): Promise<CreateReply> {
    return json(await this.sendCreate(pod, undefined, owner), createReplySchema, 'create');
  }

  async start(options: TestPodOptions): Promise<TestPod> {
    const pod = this.pod(options);
    await this.create(pod);
    return pod;
  }

  async statuses(pods: readonly TestPod[], owner = this.target.owner): Promise<PodStatus[]> {
    const refs = pods.map((pod) => podRef(pod));
    return json(await this.call('status', refs, { owner }), z.array(podStatusSchema), 'status');
  }

  /** Asks until the pod's status is as wanted. */
  async until(
    pod: TestPod,
    what: string,
    holds: (status: PodStatus) => boolean,
    owner = this.target.owner,
  ): Promise<PodStatus> {
    let last: PodStatus | undefined;
    for (let wait = 50; ; wait = Math.min(wait * 1.5, 1000)) {
      try {
        [last] = await this.statuses([pod], owner);
        if (last !== undefined && holds(last)) return last;
        await sleep(wait, undefined, { signal: this.signal });
      } catch (cause) {
        if (!this.signal.aborted) throw cause;
        throw new Failure(`${what}: not so at the deadline; the last status was ${show(last)}`, { cause });
      }
    }
  }

  async logs(pod: TestPod, opts: Record<string, unknown> = {}, container = 'main'): Promise<string> {
    return ok(await this.call('logs', logBody(pod, opts, container)), 'getLogs');
  }

  async delete(pod: TestPod, graceSeconds?: number, owner?: string): Promise<void> {
    ok(await this.call('delete', podRef(pod, graceSeconds), owner === undefined ? {} : { owner }), 'delete');
  }

  async events(cursor?: string, owner?: string): Promise<EventReader> {
    const request = this.request('events', undefined, owner === undefined ? {} : { owner });
    const path = cursor === undefined ? request.path : `${request.path}?cursor=${encodeURIComponent(cursor)}`;
    const response = await this.target.peer.open({ ...request, path });
    const reader = new EventReader(response);
    this.#readers.push(reader);
    check(response.statusCode === 200, `events: expected 200, got ${response.statusCode}`);
    const type = response.headers['content-type'] ?? '';
    check(type.startsWith(routes.events.reply.type), `events: expected ${routes.events.reply.type}, got ${show(type)}`);
    return reader;
  }

  /** That whatever was done before has not ended or blocked the target. */
  async alive(after: string): Promise<void> {
    same(await this.statuses([this.pod({ script: 'true' })]), [], `after ${after}: status of an unknown pod`);
  }
}
