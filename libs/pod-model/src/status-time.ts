/** RFC 3339 in whole seconds, as the kube-apiserver stores times: a fraction would look like a change for ever. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The same for a time that a site reported; null (which the kube-apiserver takes) for what is not a time. */
export function normalizeTime(text: string | null | undefined): string | null {
  const time = Date.parse(text ?? '');
  return time > 0 && time <= lastTime ? formatTime(new Date(time)) : null;
}

/** The end of the year 9999: RFC 3339 has no more digits. */
const lastTime = 253_402_300_799_999;
