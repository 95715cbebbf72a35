import { InterlinkError, type Secret } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import { z } from 'zod';
import type { EngineCalls } from './engine.ts';
import type { ImageWait } from './plan.ts';

const firstDelayMs = 10_000;
const maxDelayMs = 300_000;
const pullDeadlineMs = 30 * 60_000;

const dockerConfigSchema = z.looseObject({
  auths: z.record(
    z.string(),
    z.looseObject({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional() }),
  ),
});

/** Brings images to the engine as imagePullPolicy says; pulls of one image with the same credentials are shared. */
export class Images {
  readonly #engine: Pick<EngineCalls, 'hasImage' | 'pull'>;
  readonly #log: Logger;
  readonly #pulls = new Map<string, Promise<void>>();

  constructor(engine: Pick<EngineCalls, 'hasImage' | 'pull'>, log: Logger) {
    this.#engine = engine;
    this.#log = log;
  }

  /**
   * Resolves when the image may be used.
   * @throws InterlinkError `Invalid` with what the registry said; {@link imageWait} turns it into a waiting reason.
   */
  async ensure(image: string, policy: string, pullSecrets: readonly Secret[], signal: AbortSignal): Promise<void> {
    if (policy !== 'Always' && (await this.#engine.hasImage(image, signal))) return;
    if (policy === 'Never')
      throw new InterlinkError('NotFound', `image ${image} is not at the site, and imagePullPolicy is Never`);
    const auth = credentials(image, pullSecrets);
    const key = JSON.stringify([image, auth]);
    let pull = this.#pulls.get(key);
    if (pull === undefined) {
      this.#log.info({ image }, 'pulling an image');
      // Not bound to one pod's signal: others wait for the same pull.
      pull = this.#engine.pull(image, auth, AbortSignal.timeout(pullDeadlineMs)).finally(() => this.#pulls.delete(key));
      this.#pulls.set(key, pull);
    }
    await pull;
  }
}

/** The kubelet's waiting reasons: the error itself first, `ImagePullBackOff` while the next try is not due. */
export function imageWait(error: InterlinkError, image: string, before: ImageWait | undefined, now: number): ImageWait {
  const delayMs = before === undefined ? firstDelayMs : Math.min(maxDelayMs, before.delayMs * 2);
  const reason =
    error.code === 'NotFound' && error.message.includes('imagePullPolicy') ? 'ErrImageNeverPull' : 'ErrImagePull';
  return { reason, message: `cannot pull image "${image}": ${error.message}`, retryAt: now + delayMs, delayMs };
}

export function backingOff(wait: ImageWait, image: string): ImageWait {
  if (wait.reason !== 'ErrImagePull') return wait;
  return { ...wait, reason: 'ImagePullBackOff', message: `back-off pulling image "${image}": ${wait.message}` };
}

function credentials(image: string, secrets: readonly Secret[]): object | undefined {
  const registry = registryOf(image);
  for (const secret of secrets) {
    const encoded = secret.data?.['.dockerconfigjson'];
    const config = dockerConfigSchema.safeParse(
      parseJson(encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()),
    );
    for (const [server, entry] of Object.entries(config.success ? config.data.auths : {})) {
      if (server.replace(/^https?:\/\//, '').split('/', 1)[0] !== registry) continue;
      const [username, ...password] = Buffer.from(entry.auth ?? '', 'base64')
        .toString()
        .split(':');
      return {
        username: entry.username ?? username,
        password: entry.password ?? password.join(':'),
        serveraddress: server,
      };
    }
  }
  return undefined;
}

/** `host[:port]/...` names a registry; anything else is Docker Hub's. */
function registryOf(image: string): string {
  const [first, ...rest] = image.split('/');
  return rest.length > 0 && first !== undefined && /[.:]|^localhost$/.test(first) ? first : 'index.docker.io';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
