import { defaultWindow, maxWindow } from './frames.ts';

/**
 * How much of one stream may be sent. The Go library of kubectl and kube-apiserver neither keeps nor grants windows: from it
 * no WINDOW_UPDATE ever comes, and what holds us back is TCP. So a window binds only once the peer has shown that it
 * keeps them; what was sent before is counted all the same.
 */
export class SendWindow {
  #left = defaultWindow;
  readonly #peer: PeerWindows;

  constructor(peer: PeerWindows) {
    this.#peer = peer;
    this.#left = peer.initial;
  }

  /** How many of `wanted` bytes may go now. */
  allowance(wanted: number): number {
    return this.#peer.areKept ? Math.max(0, Math.min(wanted, this.#left)) : wanted;
  }

  sent(bytes: number): void {
    this.#left -= bytes;
  }

  /** False: the peer has granted more than a window can hold, an error of this stream. */
  grant(bytes: number): boolean {
    this.#peer.areKept = true;
    this.#left += bytes;
    return this.#left <= maxWindow;
  }

  /** The peer's SETTINGS have moved the initial window, for streams that are open too. */
  shift(by: number): void {
    this.#left += by;
  }
}

/** What is known of the peer's habit, for all streams of a connection. */
export interface PeerWindows {
  areKept: boolean;
  /** Of a new stream. */
  initial: number;
}
