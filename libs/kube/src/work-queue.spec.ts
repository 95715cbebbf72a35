import { FakeClock, turn } from './testing/fake-clock.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

function started(options: Partial<WorkQueueOptions> & Pick<WorkQueueOptions, 'handler'>) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const errors: string[] = [];
  const queue = new WorkQueue({
    concurrency: 2,
    onError: (key, error, attempt) => errors.push(`${key} ${attempt} ${String(error)}`),
    clock,
    random: () => 1,
    ...options,
  });
  const done = queue.run(stop.signal);
  return { clock, queue, errors, stop, done };
}

/** A handler whose runs end when the test says so. */
function gate() {
  const log: string[] = [];
  const open = new Map<string, () => void>();
  const handler = (key: string): Promise<void> => {
    log.push(key);
    return new Promise((resolve) => open.set(key, resolve));
  };
  const finish = async (key: string): Promise<void> => {
    open.get(key)?.();
    await turn();
  };
  return { log, handler, finish };
}

describe('WorkQueue', () => {
  it('works on keys in their order, as many at a time as allowed, each once', async () => {
    const { log, handler, finish } = gate();
    const { queue } = started({ handler });
    for (const key of ['a', 'b', 'c', 'c', 'd']) queue.add(key);
    expect([log, queue.inFlight, queue.length]).toEqual([['a', 'b'], 2, 2]);
    await finish('b');
    await finish('a');
    expect(log).toEqual(['a', 'b', 'c', 'd']);
  });

  it('runs a key added in flight once more afterwards, never twice at a time', async () => {
    const { log, handler, finish } = gate();
    const { queue } = started({ handler });
    queue.add('a');
    queue.add('a');
    queue.add('a');
    await turn();
    expect(log).toEqual(['a']);
    await finish('a');
    expect(log).toEqual(['a', 'a']);
    await finish('a');
    expect([log.length, queue.inFlight, queue.length]).toEqual([2, 0, 0]);
  });

  it('retries a failure with growing delay and forgets it after a success', async () => {
    let failures = 3;
    const at: number[] = [];
    const { clock, queue, errors } = started({
      handler: async () => {
        at.push(clock.now());
        if (failures-- > 0) throw new Error('down');
      },
    });
    queue.add('a');
    await clock.advance(10_000);
    expect(at).toEqual([0, 200, 600, 1400]);
    expect(errors).toEqual([1, 2, 3].map((attempt) => `a ${attempt} Error: down`));
    failures = 1;
    queue.add('a');
    await clock.advance(10_000);
    expect(at.slice(4)).toEqual([10_000, 10_200]);
  });

  it('bounds the back-off', async () => {
    const at: number[] = [];
    const { clock, queue } = started({
      maxDelayMs: 1000,
      handler: async () => {
        at.push(clock.now());
        throw new Error('down');
      },
    });
    queue.add('a');
    await clock.advance(4500);
    expect(at).toEqual([0, 200, 600, 1400, 2400, 3400, 4400]);
  });

  it('takes the earliest of several times, and an add at once', async () => {
    const at: string[] = [];
    const { clock, queue } = started({ handler: async (key) => void at.push(`${key}@${clock.now()}`) });
    queue.addAfter('a', 500);
    queue.addAfter('a', 300);
    queue.addAfter('a', 900);
    queue.addAfter('b', 500);
    expect(queue.delayed).toBe(2);
    queue.add('b');
    await clock.advance(2000);
    expect(at).toEqual(['b@0', 'a@300']);
  });

  it('tells when it is idle, delayed keys aside', async () => {
    const { handler, finish } = gate();
    const { queue } = started({ handler });
    let idle = false;
    queue.add('a');
    queue.addAfter('b', 1000);
    const waiting = queue.idle().then(() => (idle = true));
    await turn();
    expect(idle).toBe(false);
    await finish('a');
    await waiting;
  });

  it('on abort tells the handlers, waits for them, and drops the rest', async () => {
    const log: string[] = [];
    const { queue, stop, done, clock, errors } = started({
      concurrency: 1,
      handler: async (key, signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await turn();
        log.push(key);
        throw new Error('cut off');
      },
    });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    stop.abort();
    expect(log).toEqual([]);
    await done;
    queue.add('d');
    await clock.advance(100);
    expect([log, errors, queue.length, queue.delayed]).toEqual([['a'], [], 0, 0]);
  });

  it('on stop lets those in flight finish without aborting them', async () => {
    const { log, handler, finish } = gate();
    let aborted = true;
    const { queue, done } = started({
      concurrency: 1,
      handler: async (key, signal) => {
        await handler(key);
        aborted = signal.aborted;
      },
    });
    queue.add('a');
    queue.add('b');
    const stopped = queue.stop();
    await finish('a');
    await Promise.all([stopped, done]);
    expect([log, aborted]).toEqual([['a'], false]);
  });

  it('takes 100,000 keys in its stride', async () => {
    let count = 0;
    const { queue } = started({ concurrency: 50, handler: async () => void (count += 1) });
    const begin = performance.now();
    for (let i = 0; i < 100_000; i += 1) queue.add(`key-${i}`);
    await queue.idle();
    expect(count).toBe(100_000);
    expect(performance.now() - begin).toBeLessThan(5000);
  });
});
