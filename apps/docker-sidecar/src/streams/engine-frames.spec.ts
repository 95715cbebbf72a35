import fc from 'fast-check';
import { EngineFrames } from './engine-frames.ts';

const frame = (stream: number, content: Uint8Array) => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
};

describe('EngineFrames', () => {
  it('gives each stream its bytes, wherever the chunks end', () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 30 })), { maxLength: 10 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 20 })), (sent, sizes) => {
        const wire = Buffer.concat(sent.map(([stream, content]) => frame(stream, content)));
        const got = new Map<number, Buffer[]>([
          [1, []],
          [2, []],
        ]);
        const taker = new EngineFrames((stream, content) => got.get(stream)?.push(content));
        let at = 0;
        for (const size of [...sizes, wire.length]) {
          taker.take(wire.subarray(at, at + size));
          at += size;
        }
        for (const stream of [1, 2]) {
          const wanted = sent.flatMap(([to, content]) => (to === stream ? [content] : []));
          expect(Buffer.concat(got.get(stream) ?? [])).toEqual(Buffer.concat(wanted));
        }
      }),
    );
  });
});
