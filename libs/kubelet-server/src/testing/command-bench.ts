import { TestCertificates } from './certificates.ts';
import { FakeCommand } from './fake-command.ts';
import { SpdyClient, until } from './spdy-client.ts';
import { startTestKubelet, type TestKubelet } from './test-kubelet.ts';
import { upgrade, WsClient } from './upgrade-client.ts';
import { controlType } from '../streaming/spdy/frames.ts';

/** All streams of one command in the one container. */
export const exec = '/exec/ns/pod/c?input=1&output=1&error=1&command=sh';

export const success = { metadata: {}, status: 'Success' };

export const exitCode = (code: number) => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

/** A kubelet whose commands end when the test says so, and clients of it. */
export class CommandBench {
  readonly kubelet: TestKubelet;
  /** What was asked for, and what was started for it. */
  readonly called: unknown[] = [];
  readonly #certificates: TestCertificates;
  readonly #credentials: { ca: string; headers: { authorization: string } };
  #command = new FakeCommand({});

  private constructor(kubelet: TestKubelet, certificates: TestCertificates, ca: string) {
    this.kubelet = kubelet;
    this.#certificates = certificates;
    this.#credentials = { ca, headers: { authorization: 'Bearer good' } };
    kubelet.exec = async (call) => {
      this.called.push(call);
      return (this.#command = new FakeCommand(call));
    };
    kubelet.attach = kubelet.exec;
  }

  static async start(): Promise<CommandBench> {
    const certificates = new TestCertificates();
    const { cert, key } = certificates.make('/CN=system:node:n1');
    return new CommandBench(await startTestKubelet({ cert, key }), certificates, cert);
  }

  async stop(): Promise<void> {
    await this.kubelet.server.stop();
    this.#certificates.remove();
  }

  /** The one that was started last. */
  get command(): FakeCommand {
    return this.#command;
  }

  ws(path: string, ...protocols: string[]): Promise<WsClient> {
    return WsClient.open(this.kubelet.port, path, protocols, this.#credentials);
  }

  async spdy(path: string, versions = 'v4.channel.k8s.io', method = 'POST') {
    const headers = { ...this.#credentials.headers, connection: 'Upgrade', upgrade: 'SPDY/3.1' };
    const { response, socket } = await upgrade(this.kubelet.port, path, {
      ...this.#credentials,
      method,
      headers: { ...headers, ...(versions === '' ? {} : { 'x-stream-protocol-version': versions.split(' ') }) },
    });
    if (socket === undefined) throw new Error(`refused: ${response.statusCode}`);
    return { client: new SpdyClient(socket), version: response.headers['x-stream-protocol-version'] };
  }
}

/** Opens streams by their types, and waits until they are accepted. */
export async function spdyStreams(client: SpdyClient, ...types: string[]): Promise<Record<string, number>> {
  const ids: Record<string, number> = {};
  for (const streamtype of types) ids[streamtype] = await client.open({ streamtype });
  await until(() => client.got(controlType.synReply).length === types.length);
  return ids;
}
