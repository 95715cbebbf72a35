import { systemClock, type Clock } from '@interlink/kube';

export type RequestKind = 'token' | 'object';

/** How many requests a second may go to the kube-apiserver for the sake of updates, whatever their number; tokens first. */
export class RequestBudget {
  readonly #gapMs: number;
  readonly #clock: Clock;
  readonly #waiting: Readonly<Record<RequestKind, (() => void)[]>> = { token: [], object: [] };
  #pumping = false;
  /** On the clock's own scale: when the next one may go. */
  #free = 0;

  constructor(perSecond: number, clock: Clock = systemClock) {
    this.#gapMs = 1000 / perSecond;
    this.#clock = clock;
  }

  /** Resolves when it is this request's turn, or the signal aborts: the caller looks at the signal anyway. */
  take(kind: RequestKind, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const list = this.#waiting[kind];
      const turn = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        const index = list.indexOf(turn);
        if (index >= 0) list.splice(index, 1);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', leave, { once: true });
      list.push(turn);
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#pumping || (this.#waiting.token.length === 0 && this.#waiting.object.length === 0)) return;
    this.#pumping = true;
    this.#clock.schedule(Math.max(0, this.#free - this.#clock.now()), () => {
      this.#pumping = false;
      const next = this.#waiting.token.shift() ?? this.#waiting.object.shift();
      if (next !== undefined) {
        this.#free = this.#clock.now() + this.#gapMs;
        next();
      }
      this.#pump();
    });
  }
}
