const headerBytes = 8;

/** Takes apart what the engine frames (stream, 3 zeros, length as uint32), wherever its chunks end. */
export class EngineFrames {
  readonly #give: (stream: number, content: Buffer) => void;
  /** The beginning of a header that was cut. */
  #header = Buffer.alloc(0);
  #stream = 0;
  #left = 0;

  constructor(give: (stream: number, content: Buffer) => void) {
    this.#give = give;
  }

  take(chunk: Buffer): void {
    const bytes = this.#header.length === 0 ? chunk : Buffer.concat([this.#header, chunk]);
    this.#header = Buffer.alloc(0);
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const content = bytes.subarray(at, at + this.#left);
        this.#left -= content.length;
        at += content.length;
        this.#give(this.#stream, content);
      } else if (bytes.length - at < headerBytes) {
        this.#header = Buffer.from(bytes.subarray(at));
        return;
      } else {
        this.#stream = bytes[at] ?? 0;
        this.#left = bytes.readUInt32BE(at + 4);
        at += headerBytes;
      }
    }
  }
}
