import type https from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { type Agents, createAgents, type TlsMaterial } from './agents.ts';
import { type Clock, systemClock } from './clock.ts';
import { KubeError, KubeconfigError } from './errors.ts';
import { type KubeconfigChoice, type LoadedKubeconfig, loadKubeconfig } from './kubeconfig.ts';

/** What one request needs to reach the API server as us. Holds secrets: never log it. */
export interface Access extends Agents {
  /** Scheme, host and port of the API server. */
  origin: string;
  /** What stands before every path, where the server is behind another one: '' or `/like/this`. */
  basePath: string;
  /** Authorization and impersonation. */
  headers: Readonly<Record<string, string | string[]>>;
}

/** How long the applied credentials are used before certificate and token files and exec plugins are asked again. */
const reuseMs = 10_000;
const pluginTimeoutMs = 30_000;

/**
 * Keeps the credentials of one kubeconfig fresh. The agents, and with them the open connections, live as long as the
 * TLS material stays the same.
 */
export class Credentials {
  readonly #choice: KubeconfigChoice;
  readonly #clock: Clock;
  #loaded: LoadedKubeconfig;
  #access: Promise<Access> | undefined;
  #appliedAt = 0;
  /** What `current` gave last. */
  #newest: Access | undefined;
  #reloadedAt = -Infinity;
  #material: TlsMaterial | undefined;
  #agents: Agents | undefined;

  /** @throws KubeconfigError */
  constructor(choice: KubeconfigChoice, clock: Clock = systemClock) {
    this.#choice = choice;
    this.#clock = clock;
    this.#loaded = loadKubeconfig(choice);
  }

  get server(): string {
    return this.#loaded.server;
  }

  get namespace(): string | undefined {
    return this.#loaded.namespace;
  }

  /** @throws KubeError `CredentialsFailed` when a plugin or file gives none */
  current(): Promise<Access> {
    if (this.#access === undefined || this.#clock.now() - this.#appliedAt > reuseMs) {
      // While a plugin works, all wait for this one run of it.
      this.#appliedAt = Infinity;
      const access = this.#apply();
      this.#access = access;
      access.then(
        () => {
          this.#appliedAt = this.#clock.now();
        },
        () => {
          // A failure is not kept: the next request asks again.
          if (this.#access === access) this.#access = undefined;
        },
      );
    }
    return this.#access;
  }

  /**
   * Reads the kubeconfig anew after a 401: its token may have been replaced, and client-node caches a plugin's token
   * without looking whether it still works. True when there may be better credentials than the `used` ones by now;
   * false when they were read a moment ago, so that trying again is in vain.
   */
  reload(used: Access): boolean {
    if (this.#newest !== used) return true;
    if (this.#clock.now() - this.#reloadedAt < reuseMs) return false;
    this.#reloadedAt = this.#clock.now();
    try {
      this.#loaded = loadKubeconfig(this.#choice);
    } catch (error) {
      // Half written by another process: go on with what we have.
      if (error instanceof KubeconfigError) return false;
      throw error;
    }
    this.#access = undefined;
    this.#newest = undefined;
    return true;
  }

  async #apply(): Promise<Access> {
    const { config, server, headers } = this.#loaded;
    const options: https.RequestOptions = {};
    let agents: Agents;
    try {
      await within(pluginTimeoutMs, this.#clock, config.applyToHTTPSOptions(options));
      const { ca, cert, key, servername, rejectUnauthorized } = options;
      const material = { server, ca, cert, key, servername, rejectUnauthorized };
      // The old agents are left to finish what is in flight; their idle sockets time out.
      if (!isDeepStrictEqual(this.#material, material) || this.#agents === undefined) {
        this.#agents = createAgents(material);
        this.#material = material;
      }
      agents = this.#agents;
    } catch (error) {
      throw new KubeError(`credentials for ${server}: ${failure(error)}`, { status: 0, reason: 'CredentialsFailed' });
    }
    const sent: Record<string, string | string[]> = { ...textHeaders(options.headers), ...headers };
    if (options.auth) sent['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    const { origin, pathname } = new URL(server);
    this.#newest = { origin, basePath: pathname.replace(/\/+$/, ''), headers: sent, ...agents };
    return this.#newest;
  }
}

async function within<T>(ms: number, clock: Clock, work: Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.schedule(ms, () => reject(new Error(`no answer within ${ms / 1000} s`)));
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    cancel();
  }
}

/** What a plugin wrote to stderr helps; a JSON error quotes its stdout, which holds the token. */
function failure(error: unknown): string {
  if (!(error instanceof Error) || error instanceof SyntaxError) return 'the plugin did not print an ExecCredential';
  return error.message.trim().slice(0, 300) || 'the plugin failed without a word';
}

function textHeaders(headers: https.RequestOptions['headers']): Record<string, string> {
  if (headers === undefined || Array.isArray(headers)) return {};
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value).trim()]])),
  );
}
