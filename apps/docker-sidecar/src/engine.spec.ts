import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, parseEngineEvent } from './engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'il-'));
/** One for each test: the engine client keeps connections. */
let socket = '';
let count = 0;
const signal = new AbortController().signal;
let server: Server | undefined;
let outcomes: string[] = [];
beforeEach(() => (socket = join(folder, `${count++}.sock`)));
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function facing(listener: RequestListener): Promise<Engine> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(socket, resolve));
  return engine();
}
function engine(): Engine {
  outcomes = [];
  return new Engine(socket, (call, outcome) => outcomes.push(`${call} ${outcome}`));
}
const answering = (status: number, body: string) =>
  facing((request, response) => {
    request.resume();
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
  });
const message = JSON.stringify({ message: 'what the engine said' });

describe("the engine's errors are sorted", () => {
  it.each([
    [400, 'Invalid'],
    [404, 'NotFound'],
    [409, 'Gone'],
    [500, 'Internal'],
  ])('%i is %s', async (status, code) => {
    const refused = await answering(status, message);
    await expect(refused.createContainer('n', { Image: 'i' }, signal)).rejects.toMatchObject({
      code,
      message: 'what the engine said',
    });
    expect(outcomes).toEqual([`create ${code}`]);
  });

  it('one that is not there, or goes away, is Unavailable', async () => {
    await expect(engine().list('s', undefined, signal)).rejects.toMatchObject({ code: 'Unavailable' });
    const dying = await facing((_request, response) => response.destroy());
    await expect(dying.list('s', undefined, signal)).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it.each([
    ['start of what runs', 304, (one: Engine) => one.start('c', signal)],
    ['stop of what has stopped', 304, (one: Engine) => one.stop('c', 1, signal)],
    ['stop of what is gone', 404, (one: Engine) => one.stop('c', 1, signal)],
    ['removal of what is gone', 404, (one: Engine) => one.removeContainer('c', signal)],
    ['removal of a volume that is gone', 404, (one: Engine) => one.volumes.remove('v', signal)],
  ])('%s is no error', async (_, status, run) => {
    await run(await answering(status, status === 304 ? '' : message));
  });

  it('a removal that is under way is awaited by looking; a volume in use is an error', async () => {
    const busy = await answering(409, message);
    await busy.removeContainer('c', signal);
    await expect(busy.volumes.remove('v', signal)).rejects.toMatchObject({ code: 'Gone' });
  });

  it('what is not there is undefined', async () => {
    const empty = await answering(404, message);
    expect(await empty.inspect('c', signal)).toBeUndefined();
    expect(await empty.inspectImage('i', signal)).toBeUndefined();
  });
});

describe('pull', () => {
  const progress = '{"status":"Pulling from library/busybox"}\n';

  it('ends well', async () => {
    await (await answering(200, `${progress}{"status":"Status: Downloaded"}\n`)).pull('busybox:1', undefined, signal);
    expect(outcomes).toEqual(['pull ok']);
  });

  it.each([
    [404, message, 'NotFound', expect.stringContaining('what the engine said') as string],
    // The head of the answer was out when the registry refused.
    [200, `${progress}{"errorDetail":{"message":"denied"},"error":"denied"}\n`, 'Invalid', 'denied'],
  ])('fails with %i', async (status, body, code, text) => {
    const refusing = await answering(status, body);
    await expect(refusing.pull('busybox:1', undefined, signal)).rejects.toMatchObject({ code, message: text });
    expect(outcomes).toEqual([`pull ${code}`]);
  });
});

describe('logs', () => {
  it('are a stream even when the container has ended', async () => {
    const framed = Buffer.from([1, 0, 0, 0, 0, 0, 0, 2, 0x68, 0x69]);
    let asked: string | undefined;
    const one = await facing((request, response) => {
      asked = request.url;
      response.end(framed);
    });
    const log = await one.logs('c', { stdout: 'true', tail: '3' }, signal);
    expect(Buffer.concat(await log.toArray())).toEqual(framed);
    expect(asked).toBe('/containers/c/logs?stdout=true&tail=3');
  });

  it('of no container are an error', async () => {
    await expect((await answering(404, message)).logs('c', {}, signal)).rejects.toMatchObject({ code: 'NotFound' });
  });
});

it('an event is what it says, and nothing else', () => {
  const event = { Type: 'container', Action: 'die', Actor: { ID: 'c', Attributes: { a: 'b' } }, extra: 1 };
  expect(parseEngineEvent(JSON.stringify(event))).toEqual(event);
  expect(() => parseEngineEvent('{"Type":"container"}')).toThrow();
});
