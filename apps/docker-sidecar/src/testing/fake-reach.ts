import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ReachCalls } from '../probes/reach-engine.ts';
import type { ProgramResult } from '../volumes/volume-engine.ts';

/** What is in the containers of a {@link FakeEngine}: commands, files, and ports of this machine's loopback. */
export class FakeReach implements ReachCalls {
  /** Every command that was run, with the container it was run in. */
  readonly runs: string[] = [];
  /** Files of sandboxes, by path. */
  readonly files = new Map<string, string>();
  /** What a command does; by default it succeeds at once. */
  answer: (id: string, argv: readonly string[], signal: AbortSignal) => Promise<Partial<ProgramResult>> = () =>
    Promise.resolve({});

  async run(id: string, argv: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    this.runs.push(`${id.replace(/^id-interlink-[0-9a-f]{16}-?/, '')}: ${argv.join(' ')}`);
    return { exitCode: 0, stdout: '', stderr: '', ...(await this.answer(id, argv, signal)) };
  }

  dial(_id: string, _host: string, port: number): Promise<Duplex> {
    return Promise.resolve(connect(port, '127.0.0.1'));
  }

  tailOfFile(_id: string, path: string): Promise<Buffer | undefined> {
    const text = this.files.get(path);
    return Promise.resolve(text === undefined ? undefined : Buffer.from(text));
  }
}
