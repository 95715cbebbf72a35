import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { InterlinkError } from '@interlink/contract';
import type { Logger } from '@interlink/service-kit';
import { switchProtocols } from './raw-answer.ts';
import { offeredProtocols, type WebSocketUpgrades } from './websocket/websocket-upgrades.ts';

const spdy = 'SPDY/3.1';
const versionHeader = 'x-stream-protocol-version';
/** As the kubelet: nothing said in either direction for so long means that nobody is there. */
const idleMs = 4 * 3600_000;
/** The first probe of TCP keep-alive: a client whose machine is gone says no good-bye. */
const keepAliveMs = 30_000;

/** What a request wants to become. */
export function upgradeKind({ headers }: Pick<IncomingMessage, 'headers'>): 'websocket' | 'spdy' | undefined {
  const wanted = headers.upgrade?.toLowerCase();
  if (wanted === 'websocket') return 'websocket';
  return wanted === spdy.toLowerCase() ? 'spdy' : undefined;
}

/** An admitted request that has not been answered yet. */
export class Upgrade {
  readonly kind: 'websocket' | 'spdy';
  readonly session: string;
  readonly query: URLSearchParams;
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #webSockets: WebSocketUpgrades;
  readonly #log: Logger;
  /** The answer is out: errors cannot be told by HTTP any more. */
  isAnswered = false;

  constructor(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    o: { kind: Upgrade['kind']; session: string; webSockets: WebSocketUpgrades; log: Logger },
  ) {
    this.kind = o.kind;
    this.session = o.session;
    this.query = new URL(request.url ?? '', 'https://node').searchParams;
    this.#request = request;
    this.#socket = socket;
    this.#head = head;
    this.#webSockets = o.webSockets;
    this.#log = o.log;
  }

  /**
   * The first protocol that the client offers and we speak; empty when it offers none.
   * @throws InterlinkError Denied, as the kubelet answers
   */
  choose(supported: readonly string[]): string {
    const offered = this.kind === 'websocket' ? offeredProtocols(this.#request) : this.#offeredVersions();
    if (offered.length === 0) return '';
    const chosen = offered.find((name) => supported.includes(name));
    if (chosen !== undefined) return chosen;
    const all = `client offers ${offered.join(', ')}, this node speaks ${supported.join(', ')}`;
    throw new InterlinkError('Denied', `unable to upgrade: no protocol in common: ${all}`.slice(0, 1000));
  }

  /** @throws InterlinkError Malformed for a handshake that is none */
  async toWebSocket(protocol: string): ReturnType<WebSocketUpgrades['accept']> {
    const ws = await this.#webSockets.accept(this.#request, this.#socket, this.#head, protocol);
    this.#answered();
    return ws;
  }

  toSpdy(protocol: string): Duplex {
    switchProtocols(this.#socket, {
      Upgrade: spdy,
      ...(protocol === '' ? {} : { 'X-Stream-Protocol-Version': protocol }),
    });
    this.#answered();
    if (this.#head.length > 0) this.#socket.unshift(this.#head);
    return this.#socket;
  }

  /** For a client that has not done its part: there is no stream on which to tell it. */
  brokenOff(err: unknown): undefined {
    this.#log.info({ session: this.session, err }, 'stream broken off');
    return undefined;
  }

  #answered(): void {
    this.isAnswered = true;
    const socket = this.#socket;
    if (!(socket instanceof Socket)) return;
    socket.setKeepAlive(true, keepAliveMs);
    socket.setTimeout(idleMs, () => socket.destroy());
  }

  #offeredVersions(): string[] {
    const header = [this.#request.headers[versionHeader] ?? []].flat().join(',');
    return header
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
  }
}
