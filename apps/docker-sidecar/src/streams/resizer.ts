import { setTimeout as sleep } from 'node:timers/promises';
import type { TerminalSize } from '@interlink/contract';

const tries = 10;

/** Sets a terminal's size, one call at a time and only the last one wanted. */
export class Resizer {
  readonly #set: (size: TerminalSize) => Promise<void>;
  readonly #signal: AbortSignal;
  #wanted: TerminalSize | undefined;
  #running: Promise<void> | undefined;

  constructor(set: (size: TerminalSize) => Promise<void>, signal: AbortSignal) {
    this.#set = set;
    this.#signal = signal;
  }

  resize(size: TerminalSize): void {
    this.#wanted = size;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** When nothing is under way any more. */
  async done(): Promise<void> {
    this.#wanted = undefined;
    await this.#running;
  }

  async #run(): Promise<void> {
    // The terminal comes into being a moment after the start was answered, and is gone with the command: in the end
    // a size that cannot be set is nobody's business.
    for (let failed = 0; this.#wanted !== undefined && failed < tries && !this.#signal.aborted;) {
      const size = this.#wanted;
      try {
        await this.#set(size);
        failed = 0;
        if (this.#wanted === size) this.#wanted = undefined;
      } catch {
        failed++;
        await sleep(10 * failed, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
  }
}
