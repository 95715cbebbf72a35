export type ReferenceKind = 'ConfigMap' | 'Secret' | 'ServiceAccountToken';

/**
 * A mandatory object (or key of it) is not there yet. Not an InterlinkError: nothing is wrong with the pod, it waits
 * until somebody creates the object, exactly as on an ordinary node.
 */
export class MissingReference extends Error {
  readonly kind: ReferenceKind;
  readonly objectName: string;
  readonly key: string | undefined;

  constructor(kind: ReferenceKind, objectName: string, key?: string) {
    super(key === undefined ? `${kind} "${objectName}" not found` : `${kind} "${objectName}" has no key "${key}"`);
    this.name = 'MissingReference';
    this.kind = kind;
    this.objectName = objectName;
    this.key = key;
  }
}
