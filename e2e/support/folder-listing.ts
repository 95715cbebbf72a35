/** A script for busybox that prints one line for each file of the folder: path, mode, content. */
export const list = (folder: string) =>
  `cd ${folder} && find . -follow -type f ! -path '*/..*' | sort | while read f; do echo "$f $(stat -L -c %a $f) $(base64 -w 0 $f)"; done`;

export interface File {
  readonly mode: string;
  readonly content: Buffer;
}

/** The folder's files by path, from what the script of {@link list} printed. */
export function files(listing: string): Record<string, File> {
  const lines = listing.split('\n').filter((line) => line.startsWith('./'));
  return Object.fromEntries(
    lines.map((line) => {
      const [path = '', mode = '', content = ''] = line.split(' ');
      return [path.slice(2), { mode, content: Buffer.from(content, 'base64') }];
    }),
  );
}

export const file = (mode: string, content: string | Uint8Array): File => ({ mode, content: Buffer.from(content) });
