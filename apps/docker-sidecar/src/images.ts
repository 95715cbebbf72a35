import { InterlinkError, isCode, type Secret } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import type { EngineCalls, LocalImage } from './engine.ts';
import type { ImageWait } from './plan.ts';
import { InvalidImageName, parseImageName, type ImageName } from './registry/image-name.ts';
import { credentialsFor, type Credentials } from './registry/keyring.ts';
import type { Grants } from './registry/pull-records.ts';

const firstDelayMs = 10_000;
const maxDelayMs = 300_000;
const pullDeadlineMs = 30 * 60_000;

type ImageCalls = Pick<EngineCalls, 'inspectImage' | 'pull'>;

/** imagePullPolicy Never, and it is not there: or not for this pod, which is nobody's business. */
class ImageNeverPulled extends InterlinkError {
  constructor(image: string) {
    super('NotFound', `Container image "${image}" is not present with pull policy of Never`);
  }
}

/** Brings images to the engine as imagePullPolicy says; pulls of one image with the same credentials are shared. */
export class Images {
  readonly #engine: ImageCalls;
  readonly #records: Grants;
  readonly #log: Logger;
  readonly #pulls = new Map<string, Promise<LocalImage>>();

  constructor(engine: ImageCalls, records: Grants, log: Logger) {
    this.#engine = engine;
    this.#records = records;
    this.#log = log;
  }

  /**
   * The image, once the pod may use it: it came without credentials, or the registry has taken the pod's own for it.
   * @throws InterlinkError `Invalid` with what the registry said; {@link imageWait} turns it into a waiting reason.
   */
  async ensure(
    image: string,
    policy: string,
    pullSecrets: readonly Secret[],
    signal: AbortSignal,
  ): Promise<LocalImage> {
    const name = parseImageName(image);
    const credentials = credentialsFor(name.repository, pullSecrets);
    if (policy !== 'Always') {
      const local = await this.#engine.inspectImage(name.reference, signal);
      if (local !== undefined && this.#records.allows(local.id, name.repository, credentials)) return local;
    }
    if (policy === 'Never') throw new ImageNeverPulled(image);
    if (credentials.length === 0) return this.#shared(name, undefined);
    const refusals: InterlinkError[] = [];
    for (const one of credentials) {
      try {
        return await this.#shared(name, one);
      } catch (error) {
        // The next may be taken where this one was not; an engine that is away takes none.
        if (!(error instanceof InterlinkError) || isCode(error, 'Unavailable')) throw error;
        refusals.push(error);
      }
    }
    const [first] = refusals;
    if (refusals.length === 1 && first !== undefined) throw first;
    throw new InterlinkError('Invalid', refusals.map(({ message }) => message).join(', '));
  }

  #shared(name: ImageName, credentials: Credentials | undefined): Promise<LocalImage> {
    const key = JSON.stringify([name.reference, credentials]);
    let pull = this.#pulls.get(key);
    if (pull === undefined) {
      this.#log.info({ image: name.reference, withCredentials: credentials !== undefined }, 'pulling an image');
      pull = this.#pull(name, credentials).finally(() => this.#pulls.delete(key));
      this.#pulls.set(key, pull);
    }
    return pull;
  }

  async #pull({ reference, repository }: ImageName, credentials: Credentials | undefined): Promise<LocalImage> {
    // Not bound to one pod's signal: others wait for the same pull.
    const signal = AbortSignal.timeout(pullDeadlineMs);
    if (credentials !== undefined) await this.#records.begin(repository);
    let brought: LocalImage | undefined;
    try {
      await this.#engine.pull(reference, credentials, signal);
      brought = await this.#engine.inspectImage(reference, signal);
      if (brought === undefined) throw new InterlinkError('Internal', `image ${reference} vanished after its pull`);
    } catch (error) {
      // Of an engine that went away nobody knows what it has: the intent stays.
      if (credentials !== undefined && !isCode(error, 'Unavailable')) await this.#records.fail(repository);
      throw error;
    }
    const repositories = brought.names.map((one) => parseImageName(one).repository);
    await this.#records.pulled(brought.id, repository, credentials, repositories);
    return brought;
  }
}

/** The kubelet's waiting reasons: the error itself first, `ImagePullBackOff` while the next try is not due. */
export function imageWait(error: InterlinkError, image: string, before: ImageWait | undefined, now: number): ImageWait {
  const delayMs = before === undefined ? firstDelayMs : Math.min(maxDelayMs, before.delayMs * 2);
  const retryAt = now + delayMs;
  if (error instanceof InvalidImageName || error instanceof ImageNeverPulled) {
    const reason = error instanceof InvalidImageName ? 'InvalidImageName' : 'ErrImageNeverPull';
    return { reason, message: error.message, retryAt, delayMs };
  }
  const message = `failed to pull image "${image}": ${error.message}`;
  return { reason: 'ErrImagePull', message, retryAt, delayMs };
}

export function backingOff(wait: ImageWait, image: string): ImageWait {
  if (wait.reason !== 'ErrImagePull') return wait;
  return {
    ...wait,
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "${image}": ErrImagePull: ${wait.message}`,
  };
}
