import {
  controlHead,
  dataHead,
  headBytes,
  isControlHead,
  SpdyError,
  type ControlFrame,
  type DataPiece,
} from './frames.ts';

/** A control frame is kept until it is whole; ours never need more. */
export const maxControlBytes = 64 * 1024;

type Open =
  | {
      readonly kind: 'control';
      readonly type: number;
      readonly flags: number;
      readonly payload: Buffer;
      filled: number;
    }
  | { readonly kind: 'data'; readonly streamId: number; readonly fin: boolean; left: number };

/** Takes bytes as they come and gives frames. Of a DATA frame nothing is kept: its pieces are handed on as they are. */
export class FrameReader {
  readonly #head = Buffer.alloc(headBytes);
  #headFilled = 0;
  #open: Open | undefined;

  /** @throws SpdyError for what cannot be a frame; the connection is of no use after it */
  *read(bytes: Buffer): Generator<ControlFrame | DataPiece, void> {
    let rest = bytes;
    for (;;) {
      if (this.#open === undefined) {
        const taken = rest.copy(this.#head, this.#headFilled);
        this.#headFilled += taken;
        rest = rest.subarray(taken);
        if (this.#headFilled < headBytes) return;
        this.#headFilled = 0;
        this.#open = begin(this.#head);
      }
      const open = this.#open;
      if (open.kind === 'data') {
        const data = rest.subarray(0, open.left);
        if (data.length === 0 && open.left > 0) return;
        rest = rest.subarray(data.length);
        open.left -= data.length;
        if (open.left === 0) this.#open = undefined;
        yield { kind: 'data', streamId: open.streamId, data, fin: open.fin && open.left === 0 };
      } else {
        const taken = rest.copy(open.payload, open.filled);
        rest = rest.subarray(taken);
        open.filled += taken;
        if (open.filled < open.payload.length) return;
        this.#open = undefined;
        yield { kind: 'control', type: open.type, flags: open.flags, payload: open.payload };
      }
    }
  }
}

function begin(head: Buffer): Open {
  if (!isControlHead(head)) {
    const { streamId, fin, length } = dataHead(head);
    return { kind: 'data', streamId, fin, left: length };
  }
  const { type, flags, length } = controlHead(head);
  if (length > maxControlBytes) throw new SpdyError(`a control frame of ${length} bytes; at most ${maxControlBytes}`);
  return { kind: 'control', type, flags, payload: Buffer.alloc(length), filled: 0 };
}
