import { InterlinkError, isCode, type ContractClient, type Pod, type UpdateRequest } from '@interlink/contract';
import { WorkQueue, type KubeClient } from '@interlink/kube';
import type { Logger } from '@interlink/service-kit';
import type { SentContent } from '../pods/create-request.ts';
import { ObjectReader, versionOf } from '../pods/object-reader.ts';
import type { SiteLink } from '../site/site-link.ts';
import {
  isOfItself,
  followedPod,
  keysOf,
  objectSeen,
  ownPart,
  podChanged,
  type FollowedPod,
  type FollowedVolume,
} from './followed-pod.ts';
import { RequestBudget } from './request-budget.ts';
import { podPart, volumeContent, type UpdateSources } from './update-request.ts';

export interface LiveUpdatesOptions {
  readonly api: Pick<ContractClient, 'update'>;
  readonly client: Pick<KubeClient, 'get' | 'create'>;
  readonly link: Pick<SiteLink, 'state' | 'capabilities'>;
  readonly owner: string;
  readonly nodeName: string;
  readonly allocatable: () => Readonly<Record<string, string>> | undefined;
  readonly serviceEnv: UpdateSources['serviceEnv'];
  /** Between two looks at an object, ms. */
  readonly intervalMs: number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'debug'>;
  readonly now: () => number;
}

const requestsPerSecond = 5;
const retryMs = 60_000;

/**
 * Keeps what running pods show of the cluster up to date. vk-node may not watch ConfigMaps and Secrets, so each is read
 * again from time to time, once for however many pods name it; tokens are asked for again before they expire.
 */
export class LiveUpdates {
  readonly #o: LiveUpdatesOptions;
  readonly #pods = new Map<string, FollowedPod>();
  /** Who names an object, by its key. */
  readonly #users = new Map<string, Set<string>>();
  readonly #budget = new RequestBudget(requestsPerSecond);
  readonly #reader: ObjectReader;
  readonly #reads: WorkQueue;
  /** What can be told at once: changes of the pod itself. */
  readonly #parts: WorkQueue;
  /** What has to be asked for first, within the budget. */
  readonly #contents: WorkQueue;
  #life: AbortSignal = AbortSignal.abort();

  constructor(options: LiveUpdatesOptions) {
    this.#o = options;
    const { client, log, intervalMs, now } = options;
    const get: KubeClient['get'] = async (call) => {
      await this.#budget.take('object', this.#life);
      return client.get({ ...call, signal: this.#life });
    };
    this.#reader = new ObjectReader({ get }, now);
    this.#reads = new WorkQueue({
      concurrency: 4,
      handler: (key) => this.#read(key),
      onError: (key, err, attempt) =>
        log.info({ err, object: key, attempt }, 'an object that pods show cannot be read'),
      baseDelayMs: 1_000,
      maxDelayMs: intervalMs,
    });
    const sends = (isOfPod: boolean) =>
      new WorkQueue({
        concurrency: 8,
        handler: (uid, signal) => this.#send(uid, isOfPod, signal),
        onError: (uid, err, attempt) => log.info({ err, uid, attempt }, 'a pod cannot be updated; trying again'),
        baseDelayMs: 500,
        maxDelayMs: 30_000,
      });
    this.#parts = sends(true);
    this.#contents = sends(false);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#life = signal;
    await Promise.all([this.#reads, this.#parts, this.#contents].map((queue) => queue.run(signal)));
  }

  /**
   * The pod has a job that has not ended. Called at every change of it.
   * @param sent what its create was made of, where that is known.
   */
  follow(pod: Pod, sent?: SentContent): void {
    const { uid } = pod.metadata;
    const known = this.#pods.get(uid);
    if (known !== undefined) {
      if (known.pod !== pod && podChanged(known, pod)) this.#tell(uid);
      return;
    }
    const followed = followedPod(pod, sent);
    this.#pods.set(uid, followed);
    for (const key of keysOf(followed)) {
      const users = this.#users.get(key) ?? new Set();
      this.#users.set(key, users.add(uid));
      if (users.size === 1) this.#reads.addAfter(key, this.#pause());
    }
    if (sent === undefined) this.#tell(uid);
    else this.#planRefresh(uid, followed);
  }

  forget(uid: string): void {
    const followed = this.#pods.get(uid);
    if (followed === undefined) return;
    this.#pods.delete(uid);
    for (const key of keysOf(followed)) {
      const users = this.#users.get(key);
      users?.delete(uid);
      if (users?.size === 0) this.#users.delete(key);
    }
  }

  /** What waited for the site may go on. */
  siteBack(): void {
    for (const [uid, { pod, sentPart, volumes }] of this.#pods) {
      if (sentPart !== ownPart(pod) || volumes.some(({ isStale }) => isStale)) this.#tell(uid);
    }
  }

  async #read(key: string): Promise<void> {
    const uids = this.#users.get(key);
    const [user] = uids ?? [];
    const pod = user === undefined ? undefined : this.#pods.get(user)?.pod;
    if (uids === undefined || pod === undefined) return;
    if (this.#isOffered()) {
      const { namespace } = pod.metadata;
      const name = key.slice(key.indexOf('/') + 1);
      const notBefore = this.#o.now();
      const object = key.startsWith('ConfigMap ')
        ? await this.#reader.configMap(namespace, name, notBefore)
        : await this.#reader.secret(namespace, name, notBefore);
      for (const uid of uids) {
        const followed = this.#pods.get(uid);
        if (followed && objectSeen(followed, key, versionOf(object))) this.#contents.add(uid);
      }
      // It cannot change.
      if (object?.immutable) return;
    }
    this.#reads.addAfter(key, this.#pause());
  }

  #tell(uid: string): void {
    this.#parts.add(uid);
    this.#contents.add(uid);
  }

  async #send(uid: string, isOfPod: boolean, signal: AbortSignal): Promise<void> {
    const followed = this.#pods.get(uid);
    if (followed === undefined) return;
    if (this.#o.link.state.state !== 'up') throw new InterlinkError('Unavailable', 'the site does not answer');
    if (!this.#isOffered()) return;
    const now = this.#o.now();
    for (const volume of followed.volumes) volume.isStale ||= volume.refreshAt <= now;
    const own = ownPart(followed.pod);
    const part = isOfPod && own !== followed.sentPart ? own : undefined;
    const stale = followed.volumes.filter((volume) => volume.isStale && isOfPod === isOfItself(volume));
    if (part !== undefined || stale.length > 0) {
      for (const volume of stale) volume.isStale = false;
      try {
        await this.#update(followed, part, stale, signal);
      } catch (error) {
        for (const volume of stale) volume.isStale = true;
        if (!isCode(error, 'NotFound', 'Gone', 'Invalid', 'Malformed', 'TooLarge')) throw error;
        // Sent again it would be refused again: what comes next is news.
        this.#o.log.warn({ err: error, uid, pod: followed.pod.metadata.name }, 'the site does not take an update');
        for (const volume of stale) Object.assign(volume, { isStale: false, refreshAt: this.#again(volume) });
        followed.sentPart = part ?? followed.sentPart;
      }
    }
    this.#planRefresh(uid, followed);
  }

  async #update(
    followed: FollowedPod,
    part: string | undefined,
    stale: readonly FollowedVolume[],
    signal: AbortSignal,
  ): Promise<void> {
    const { api, owner, log } = this.#o;
    const sources = this.#sources(signal);
    const request: UpdateRequest = {
      pod: part === undefined ? { metadata: followed.pod.metadata } : await podPart(followed, sources),
    };
    const sent: [FollowedVolume, ReadonlyMap<string, string>, number][] = [];
    for (const volume of stale) {
      const content = await volumeContent(followed, volume, sources);
      if ('missing' in content) {
        log.debug({ pod: followed.pod.metadata.name, missing: content.missing.message }, 'a volume keeps what it has');
        sent.push([volume, content.shown, this.#again(volume)]);
        continue;
      }
      const { configmaps, secrets, projectedvolumesmaps } = content.request;
      if (configmaps) request.configmaps = [...(request.configmaps ?? []), ...configmaps];
      if (secrets) request.secrets = [...(request.secrets ?? []), ...secrets];
      if (projectedvolumesmaps)
        request.projectedvolumesmaps = [...(request.projectedvolumesmaps ?? []), ...projectedvolumesmaps];
      sent.push([volume, content.shown, content.refreshAt]);
    }
    await api.update(request, { owner, signal });
    followed.sentPart = part ?? followed.sentPart;
    for (const [volume, shown, refreshAt] of sent) Object.assign(volume, { shown, refreshAt });
  }

  #sources(signal: AbortSignal): UpdateSources {
    const { client, nodeName, allocatable, serviceEnv, now } = this.#o;
    return {
      client,
      reader: this.#reader,
      tokenTurn: () => this.#budget.take('token', signal),
      nodeName,
      allocatable: allocatable(),
      serviceEnv,
      // What is followed has been read within this time.
      notBefore: now() - this.#o.intervalMs,
      now,
      signal,
    };
  }

  #planRefresh(uid: string, { volumes }: FollowedPod): void {
    const due = Math.min(Infinity, ...volumes.map(({ refreshAt }) => refreshAt));
    // A timer has room for 24 days; a token for a year is looked at again before.
    if (due !== Infinity) this.#contents.addAfter(uid, Math.max(1, Math.min(due - this.#o.now(), 24 * 3600 * 1000)));
  }

  /** When to try a volume again that could not be renewed; without tokens a change of its objects tells. */
  #again({ tokens }: FollowedVolume): number {
    return tokens.length > 0 ? this.#o.now() + retryMs : Infinity;
  }

  #isOffered(): boolean {
    return this.#o.link.capabilities?.features.update ?? false;
  }

  /** With jitter, so that objects do not come in step. */
  #pause(): number {
    return this.#o.intervalMs * (0.9 + Math.random() * 0.2);
  }
}
