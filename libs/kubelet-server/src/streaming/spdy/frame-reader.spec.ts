import fc from 'fast-check';
import { FrameReader, maxControlBytes } from './frame-reader.ts';
import * as wire from './frames.ts';

const frames = Buffer.concat([
  wire.numbersFrame(wire.controlType.ping, 7),
  wire.dataFrameHead(3, 5, false),
  Buffer.from('hello'),
  wire.controlFrame(wire.controlType.synReply, 1, Buffer.from('block')),
  wire.dataFrameHead(3, 0, true),
  wire.dataFrameHead(0x7fffffff, 3, true),
  Buffer.from('end'),
]);

function readAll(pieces: Buffer[]) {
  const reader = new FrameReader();
  const seen: unknown[] = [];
  let text = '';
  for (const piece of pieces) {
    for (const frame of reader.read(piece)) {
      if (frame.kind === 'control') {
        seen.push([frame.type, frame.flags, frame.payload.toString('latin1')]);
        continue;
      }
      text += frame.data.toString();
      if (frame.fin || text === 'hello') {
        seen.push([frame.streamId, text, frame.fin]);
        text = '';
      }
    }
  }
  return seen;
}

const whole = [
  [6, 0, '\0\0\0\x07'],
  [3, 'hello', false],
  [2, 1, 'block'],
  [3, '', true],
  [0x7fffffff, 'end', true],
];

it('gives the same frames wherever the bytes are split', () => {
  expect(readAll([frames])).toEqual(whole);
  for (let at = 1; at < frames.length; at++) {
    expect(readAll([frames.subarray(0, at), frames.subarray(at)])).toEqual(whole);
  }
  expect(readAll([...frames].map((byte) => Buffer.from([byte])))).toEqual(whole);
});

it('hands data on as it comes, the end only with its last piece', () => {
  const reader = new FrameReader();
  const read = (bytes: Buffer) => [...reader.read(bytes)];
  expect(read(wire.dataFrameHead(1, 4, true))).toEqual([]);
  expect(read(Buffer.from('ab'))).toMatchObject([{ data: Buffer.from('ab'), fin: false }]);
  expect(read(Buffer.from('cd'))).toMatchObject([{ data: Buffer.from('cd'), fin: true }]);
});

it('keeps no control frame that is too large, and knows what is no SPDY', () => {
  const huge = wire.numbersFrame(wire.controlType.settings, 0);
  huge.writeUIntBE(maxControlBytes + 1, 5, 3);
  expect(() => [...new FrameReader().read(huge)]).toThrow(wire.SpdyError);
  expect(() => [...new FrameReader().read(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]))]).toThrow('version 2');
});

it('takes any bytes at all without another error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (pieces) => {
      const reader = new FrameReader();
      try {
        for (const piece of pieces) for (const _ of reader.read(Buffer.from(piece))) continue;
      } catch (error) {
        expect(error).toBeInstanceOf(wire.SpdyError);
      }
    }),
  );
});

it('reads settings and numbers, and refuses those that are cut short', () => {
  const frame = (...numbers: number[]) => {
    const [read] = new FrameReader().read(wire.numbersFrame(wire.controlType.settings, ...numbers));
    if (read?.kind !== 'control') throw new Error('no control frame');
    return read;
  };
  expect(wire.initialWindowOf(frame(2, 4, 100, 0x01000007, 1234))).toBe(1234);
  expect(wire.initialWindowOf(frame(1, 4, 100))).toBeUndefined();
  expect(() => wire.initialWindowOf(frame(2, 7, 100))).toThrow(wire.SpdyError);
  expect(() => wire.initialWindowOf(frame())).toThrow('cut short');
});
