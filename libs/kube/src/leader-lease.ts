import type { KubeClient } from './client.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { isAborted, isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { type Lease, leasePath, leaseSchema, microTime } from './lease-object.ts';

export interface LeaderLeaseOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  /** Who we are: must differ from every other candidate's, and should stay the same over our restarts. */
  identity: string;
  /** How long a holder that says nothing keeps the lease. Default 15. */
  durationSeconds?: number | undefined;
  /** How often the holder renews it. Default 5. */
  renewSeconds?: number | undefined;
  /** Told of failed attempts; all are tried again. */
  onError: (error: unknown) => void;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
}

export interface LeaderHandlers {
  /** We lead until `leading` aborts; it must stop its work then, and resolve when that has stopped. */
  onAcquired: (leading: AbortSignal) => Promise<void> | void;
  /** We no longer lead though nobody asked us to stop. Called at once, before the work has ended. */
  onLost: () => void;
}

/** A Lease that one of several candidates holds. */
export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #renewMs: number;
  /** The lease as we last wrote it; undefined while we do not hold it. */
  #held: Lease | undefined;
  /** By our own clock, before the last successful write was sent: nobody else counts from earlier. */
  #renewedAt = 0;
  /** Tells our own acquisition from that of another process under our name. */
  #acquireTime: string | null | undefined;
  /** What the holder last wrote and when we first saw it: clocks of two machines are never compared. */
  #observed = { state: '', at: 0 };

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#durationMs = (options.durationSeconds ?? 15) * 1000;
    this.#renewMs = (options.renewSeconds ?? 5) * 1000;
  }

  /**
   * Waits for the lease, leads, and after a loss waits again, until `signal` aborts; then the work is awaited and the
   * lease released. Rejects with what `onAcquired` rejects with.
   */
  async run(signal: AbortSignal, handlers: LeaderHandlers): Promise<void> {
    while (await this.#acquire(signal)) await this.#lead(signal, handlers);
  }

  /** False when the signal aborted first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        if (await this.#tryAcquire(signal)) return true;
      } catch (error) {
        // Somebody else was quicker: no error, only not our turn.
        if (!isConflict(error) && !isAlreadyExists(error) && !isAborted(error)) this.#options.onError(error);
      }
      await sleep(this.#jittered(Math.min(2000, this.#renewMs)), signal, this.#clock);
    }
    return false;
  }

  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    const { identity } = this.#options;
    const known = await this.#read(signal);
    const holder = known?.spec?.holderIdentity ?? '';
    // Under our name: we before a restart, or before a loss that nobody used. Else a second process has our name, and
    // taking the lease back from it would go on for ever.
    const ours =
      holder === identity && (this.#acquireTime === undefined || this.#acquireTime === known?.spec?.acquireTime);
    if (holder !== '' && !ours && !this.#isExpired(known)) return false;
    const now = microTime(this.#clock.date());
    const transitions = (known?.spec?.leaseTransitions ?? 0) + (known !== undefined && holder !== identity ? 1 : 0);
    await this.#write(
      known,
      { holderIdentity: identity, acquireTime: now, renewTime: now, leaseTransitions: transitions },
      signal,
    );
    this.#acquireTime = this.#held?.spec?.acquireTime;
    return true;
  }

  #isExpired(known: Lease | undefined): boolean {
    const { holderIdentity, acquireTime, renewTime, leaseDurationSeconds } = known?.spec ?? {};
    const state = JSON.stringify([holderIdentity, acquireTime, renewTime]);
    if (state !== this.#observed.state) this.#observed = { state, at: this.#clock.now() };
    const durationMs = leaseDurationSeconds ? leaseDurationSeconds * 1000 : this.#durationMs;
    return this.#clock.now() - this.#observed.at >= durationMs;
  }

  async #lead(signal: AbortSignal, handlers: LeaderHandlers): Promise<void> {
    const leading = new AbortController();
    const stop = (): void => leading.abort();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const renewing = new AbortController();
    const renewals = this.#renewUntil(renewing.signal).then((kept) => {
      if (kept) return;
      stop();
      handlers.onLost();
    });
    try {
      await handlers.onAcquired(leading.signal);
      await aborted(leading.signal);
    } finally {
      // Renewed up to here: the work may take its time to stop, and nobody may begin before it has.
      stop();
      signal.removeEventListener('abort', stop);
      renewing.abort();
      await renewals;
      await this.#release();
    }
  }

  /** Renews until `signal` aborts; false when the lease was lost before. */
  async #renewUntil(signal: AbortSignal): Promise<boolean> {
    // Early enough for our work to have stopped when another one takes over.
    const giveUpMs = this.#durationMs * 0.8;
    let pauseMs = this.#renewMs;
    for (;;) {
      const left = (): number => this.#renewedAt + giveUpMs - this.#clock.now();
      await sleep(Math.max(0, Math.min(pauseMs, left())), signal, this.#clock);
      if (signal.aborted) return true;
      if (left() <= 0) break;
      try {
        // Never cut off by the signal: a write we do not know the end of would spoil the release.
        if (!(await this.#renew(left()))) break;
        pauseMs = this.#renewMs;
      } catch (error) {
        this.#options.onError(error);
        pauseMs = this.#jittered(this.#renewMs / 4);
      }
    }
    this.#held = undefined;
    return false;
  }

  /** False when the lease is another's. */
  async #renew(timeoutMs: number): Promise<boolean> {
    const held = this.#held;
    if (held === undefined) return false;
    const renewal = { renewTime: microTime(this.#clock.date()) };
    try {
      await this.#write(held, renewal, undefined, timeoutMs);
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
      // Our own write whose answer was lost, or an annotation: fine. Another acquisition, even under our name: not.
      const current = await this.#read();
      const { holderIdentity, acquireTime } = current?.spec ?? {};
      if (holderIdentity !== this.#options.identity || acquireTime !== this.#acquireTime) return false;
      await this.#write(current, renewal, undefined, timeoutMs);
    }
    return true;
  }

  async #release(): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    try {
      await this.#write(held, { holderIdentity: '', leaseDurationSeconds: 1 });
    } catch (error) {
      // It expires by itself; a conflict means that a late renewal of ours or somebody else was quicker.
      if (!isConflict(error) && !isNotFound(error)) this.#options.onError(error);
    }
    this.#held = undefined;
  }

  async #read(signal?: AbortSignal): Promise<Lease | undefined> {
    const { client, namespace, name } = this.#options;
    const path = leasePath(namespace, name);
    try {
      return await client.request({
        method: 'GET',
        path,
        signal,
        timeoutMs: this.#renewMs,
        urgent: true,
        schema: leaseSchema,
      });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #write(
    known: Lease | undefined,
    spec: Lease['spec'],
    signal?: AbortSignal,
    timeoutMs = Infinity,
  ): Promise<void> {
    const { client, namespace, name } = this.#options;
    const startedAt = this.#clock.now();
    const body: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...known?.metadata, name, namespace },
      spec: { ...known?.spec, leaseDurationSeconds: Math.round(this.#durationMs / 1000), ...spec },
    };
    const call = { body, signal, timeoutMs: Math.min(timeoutMs, this.#renewMs), urgent: true, schema: leaseSchema };
    this.#held = await (known === undefined
      ? client.request({ ...call, method: 'POST', path: leasePath(namespace) })
      : client.request({ ...call, method: 'PUT', path: leasePath(namespace, name) }));
    this.#renewedAt = startedAt;
  }

  #jittered(ms: number): number {
    return ms * (0.75 + 0.5 * (this.#options.random ?? Math.random)());
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
