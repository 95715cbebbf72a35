import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { InterlinkError, sessionHeader, sessionOf } from '@interlink/contract';
import type { Logger, Metrics } from '@interlink/service-kit';
import { pathOf, type Admission } from '../admission.ts';
import { errorAnswer } from '../error-answer.ts';
import type { KubeletProvider } from '../provider.ts';
import { serveCommand } from './command-upgrade.ts';
import { servePortForward } from './forward-upgrade.ts';
import { stoppingError } from './outcome-status.ts';
import { refuse } from './raw-answer.ts';
import { streamTarget, type StreamTarget } from './stream-path.ts';
import { Upgrade, upgradeKind } from './upgrade.ts';
import { WebSocketUpgrades } from './websocket/websocket-upgrades.ts';

export interface UpgradeServerOptions {
  readonly admit: Admission;
  readonly provider: KubeletProvider;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** From the request to the answer. */
const handshakeMs = 30_000;

/** Serves exec, attach and port-forward on the connections of requests that ask to be upgraded. */
export class UpgradeServer {
  readonly #o: UpgradeServerOptions;
  readonly #webSockets = new WebSocketUpgrades();
  readonly #stop = new AbortController();
  readonly #open = new Set<Promise<void>>();

  constructor(options: UpgradeServerOptions) {
    this.#o = options;
  }

  /** For the server's `upgrade` event. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const serving = this.#serve(request, socket, head).finally(() => this.#open.delete(serving));
    this.#open.add(serving);
  }

  /** Ends every stream with a word why. Resolves when all are over: at the latest when their sockets are destroyed. */
  async stop(): Promise<void> {
    this.#stop.abort(stoppingError());
    await Promise.all(this.#open);
  }

  async #serve(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { log, metrics } = this.#o;
    const start = performance.now();
    const session = sessionOf(request.headers[sessionHeader]);
    const gone = new AbortController();
    socket.on('error', () => undefined);
    socket.once('close', () => gone.abort());
    let route = 'other';
    let status = 101;
    let detail: object = {};
    const upgrade: { current?: Upgrade } = {};
    try {
      const due = AbortSignal.any([gone.signal, this.#stop.signal, AbortSignal.timeout(handshakeMs)]);
      await this.#o.admit(request, due);
      const target = streamTarget(pathOf(request));
      if (target === undefined) throw new InterlinkError('NotFound', `there is no ${shortPath(request)} to upgrade`);
      route = `kubelet ${target.kind}`;
      upgrade.current = this.#upgrade(request, socket, head, session);
      detail = { ended: await this.#dispatch(upgrade.current, target) };
    } catch (thrown) {
      if (upgrade.current?.isAnswered === true) {
        log.error({ session, err: thrown }, 'stream failed');
        socket.destroy();
      } else if (socket.writable) {
        const answer = errorAnswer(thrown, session, log);
        status = answer.status;
        refuse(socket, { ...answer, headers: { ...answer.headers, [sessionHeader]: session } });
      }
    }
    const seconds = (performance.now() - start) / 1000;
    const method = request.method ?? '';
    metrics.observeRequest({ route, method, status, seconds });
    const fields = { session, path: shortPath(request), method, status, ms: Math.round(seconds * 1000) };
    log.debug({ ...fields, ...detail }, 'kubelet stream');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, session: string): Upgrade {
    const kind = upgradeKind(request);
    if (kind === undefined) throw new InterlinkError('Malformed', 'unable to upgrade: neither SPDY/3.1 nor websocket');
    return new Upgrade(request, socket, head, { kind, session, webSockets: this.#webSockets, log: this.#o.log });
  }

  async #dispatch(upgrade: Upgrade, target: StreamTarget): Promise<unknown> {
    const { provider } = this.#o;
    const pod = provider.findPod(target.namespace, target.pod);
    if (pod === undefined) throw new InterlinkError('NotFound', 'pod does not exist');
    if (target.uid !== undefined && target.uid !== pod.metadata.uid)
      throw new InterlinkError('NotFound', 'pod not found');
    return target.kind === 'portForward'
      ? servePortForward(upgrade, pod, provider, this.#stop.signal)
      : serveCommand(upgrade, target, pod, provider, this.#stop.signal);
  }
}

function shortPath(request: IncomingMessage): string {
  return pathOf(request).slice(0, 200);
}
