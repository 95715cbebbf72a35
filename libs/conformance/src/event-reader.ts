import type { IncomingMessage } from 'node:http';
import { eventSchema, type PodStatus, type SiteEvent } from '@interlink/contract';
import { check, Failure, show } from './check.ts';
import { parseJson } from './parse-json.ts';

/** One reader of `/events`. It reads only while `until` waits: in between the target has to keep what it has to say. */
export class EventReader {
  /** All lines so far, in order. */
  readonly seen: SiteEvent[] = [];
  readonly #response: IncomingMessage;
  readonly #chunks: AsyncIterator<unknown>;
  #rest = '';
  readonly #lines: string[] = [];

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8');
    this.#chunks = response[Symbol.asyncIterator]();
  }

  /** The first line from here on of which `holds` is true. */
  async until(what: string, holds: (event: SiteEvent) => boolean): Promise<SiteEvent> {
    for (;;) {
      const event = await this.#next(what);
      if (holds(event)) return event;
    }
  }

  /** The end of the first part. @returns its cursor, from which one may go on. */
  async synced(): Promise<{ cursor: string; snapshot: boolean }> {
    const event = await this.until('the line "synced"', ({ type }) => type === 'synced');
    check(event.type === 'synced', 'the line "synced"');
    return event;
  }

  async status(what: string, uid: string, holds: (status: PodStatus) => boolean): Promise<PodStatus> {
    const event = await this.until(
      what,
      (line) => line.type === 'status' && line.status.UID === uid && holds(line.status),
    );
    check(event.type === 'status', what);
    return event.status;
  }

  statusesOf(uid: string): PodStatus[] {
    return this.seen.flatMap((event) => (event.type === 'status' && event.status.UID === uid ? [event.status] : []));
  }

  get lastCursor(): string | undefined {
    return this.seen.flatMap((event) => (event.type === 'siteDown' ? [] : [event.cursor])).at(-1);
  }

  /** Hangs up, as a lost connection does. */
  cut(): void {
    this.#response.destroy();
  }

  async #next(what: string): Promise<SiteEvent> {
    while (this.#lines.length === 0) await this.#read(what);
    const line = this.#lines.shift() ?? '';
    const event = eventSchema.safeParse(parseJson(line));
    check(event.success, `an event line that is not as the contract says: ${show(line)}`);
    this.seen.push(event.data);
    return event.data;
  }

  async #read(what: string): Promise<void> {
    const chunk = await this.#chunks.next().catch((cause: unknown) => {
      throw new Failure(`${what} did not come; after ${this.seen.length} lines, the last of them ${this.#last()}`, {
        cause,
      });
    });
    check(chunk.done !== true, `the target ended the stream before ${what}; the last line was ${this.#last()}`);
    const lines = (this.#rest + String(chunk.value)).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines.push(...lines.filter((line) => line !== ''));
  }

  #last(): string {
    return show(this.seen.at(-1));
  }
}
