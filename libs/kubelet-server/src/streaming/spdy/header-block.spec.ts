import { constants, createDeflate, deflateSync } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';
import { SpdyError } from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './header-block.ts';

const uint32 = (number: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};
const packed = (block: Buffer) =>
  deflateSync(block, { dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH });

it('starts from the dictionary of SPDY/3', () => {
  // The sum that zlib writes of it into the first block.
  expect(packed(Buffer.from('x')).readUInt32BE(2)).toBe(0xe3c6a7c2);
  expect(headerDictionary).toHaveLength(1423);
});

it('goes on from block to block', async () => {
  const [encoder, decoder] = [new HeaderEncoder(), new HeaderDecoder()];
  const blocks: Buffer[] = [];
  for (let index = 0; index < 20; index++) {
    const headers = new Map([
      ['streamtype', 'data'],
      ['requestid', String(index)],
      ['text', '🚀'],
    ]);
    const block = await encoder.encode(headers);
    blocks.push(block);
    expect(await decoder.decode(block)).toEqual(headers);
  }
  // What was said before is not said again.
  expect(blocks[1]?.length).toBeLessThan((blocks[0]?.length ?? 0) / 2);
  expect(await new HeaderEncoder().encode(new Map())).toEqual(await new HeaderEncoder().encode(new Map()));
  await expect(new HeaderDecoder().decode(blocks[1] ?? Buffer.alloc(0))).rejects.toThrow(SpdyError);
});

it('reads blocks larger than what zlib gives at once, names in any case, and the first of several values', async () => {
  const headers = new Map([['long', 'x'.repeat(60_000)]]);
  expect(await new HeaderDecoder().decode(await new HeaderEncoder().encode(headers))).toEqual(headers);
  const block = Buffer.concat([uint32(1), uint32(3), Buffer.from('AbC'), uint32(5), Buffer.from('1\x002\x003')]);
  expect(await new HeaderDecoder().decode(packed(block))).toEqual(new Map([['abc', '1']]));
});

it.each([
  ['garbage', Buffer.from('garbage garbage')],
  ['another dictionary', deflateSync(Buffer.alloc(4), { dictionary: Buffer.from('other') })],
  ['a megabyte in a kilobyte', packed(Buffer.alloc(1024 * 1024))],
  ['a name beyond the end', packed(Buffer.concat([uint32(1), uint32(1000)]))],
  ['too many', packed(uint32(1_000_000))],
  ['nothing', packed(Buffer.alloc(0))],
])('refuses %s', async (_what, block) => {
  const decoder = new HeaderDecoder();
  await expect(decoder.decode(block)).rejects.toThrow(SpdyError);
  decoder.close();
  await expect(decoder.decode(block)).rejects.toThrow(SpdyError);
});

it('is what the stream of another zlib makes', async () => {
  const deflate = createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH });
  const decoder = new HeaderDecoder();
  for (const value of ['one', 'two', 'three']) {
    deflate.write(Buffer.concat([uint32(1), uint32(1), Buffer.from('n'), uint32(value.length), Buffer.from(value)]));
    const block = await new Promise<Buffer>((resolve) => deflate.once('data', resolve));
    expect(await decoder.decode(block)).toEqual(new Map([['n', value]]));
  }
  deflate.destroy();
});
