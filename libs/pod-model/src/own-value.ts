/** An object's own entry: keys come from users, and "constructor" or "__proto__" are legal ones. */
export function ownValue<T>(map: Readonly<Record<string, T>> | null | undefined, key: string): T | undefined {
  return map && Object.hasOwn(map, key) ? map[key] : undefined;
}
