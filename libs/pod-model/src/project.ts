import {
  InterlinkError,
  type ConfigMap,
  type Pod,
  type Projection,
  type Secret,
  type Volume,
} from '@interlink/contract';
import { fieldValue, resourceFieldValue } from './downward.ts';
import { MissingReference } from './missing-reference.ts';
import { configMapContent, secretContent, type ObjectContent } from './object-content.ts';
import { volumePath } from './volume-path.ts';

/** What the content of a projected or downwardAPI volume is made of; objects by name, all of the pod's namespace. */
export interface ProjectionSources {
  configMaps: ReadonlyMap<string, ConfigMap>;
  secrets: ReadonlyMap<string, Secret>;
  /** This volume's service-account tokens, by path. */
  tokens: ReadonlyMap<string, string>;
  nodeName: string;
  /** Stands in for limits that are unset (resourceFieldRef). */
  allocatable?: Readonly<Record<string, string | number>> | undefined;
}

type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];
type Selection = NonNullable<Projection['configMap']>;

/**
 * The content of a projected or downwardAPI volume as it travels: a ConfigMap named as the volume, each entry's key a
 * path, text in `data` and what is not UTF-8 in `binaryData`. Of two sources of one path the later wins. Throws
 * MissingReference (wait), or an InterlinkError `Invalid` that names the field.
 */
export function projectVolume(pod: Pod, volume: Volume, sources: ProjectionSources): ConfigMap {
  const field = `spec.volumes[${(pod.spec.volumes ?? []).findIndex(({ name }) => name === volume.name)}]`;
  const files = new Map<string, Uint8Array>();
  const write = (path: string, content: Uint8Array, at: string) => files.set(volumePath(path, at), content);
  const writeDownward = (items: readonly DownwardItem[], at: string) => {
    for (const [index, item] of items.entries()) {
      const itemField = `${at}.items[${index}]`;
      write(item.path, Buffer.from(downwardText(pod, item, sources, itemField), 'utf8'), `${itemField}.path`);
    }
  };

  if (volume.downwardAPI) writeDownward(volume.downwardAPI.items ?? [], `${field}.downwardAPI`);
  else if (volume.projected) {
    for (const [index, source] of (volume.projected.sources ?? []).entries()) {
      const at = `${field}.projected.sources[${index}]`;
      const { configMap, secret, downwardAPI, serviceAccountToken } = source;
      if (configMap) {
        const object = sources.configMaps.get(configMap.name);
        select('ConfigMap', configMap, object && configMapContent(object), write, at);
      } else if (secret) {
        const object = sources.secrets.get(secret.name);
        select('Secret', secret, object && secretContent(object), write, at);
      } else if (downwardAPI) writeDownward(downwardAPI.items ?? [], `${at}.downwardAPI`);
      else if (serviceAccountToken) {
        const token = sources.tokens.get(serviceAccountToken.path);
        if (token === undefined) {
          throw new MissingReference('ServiceAccountToken', volume.name, serviceAccountToken.path);
        }
        write(serviceAccountToken.path, Buffer.from(token, 'utf8'), `${at}.serviceAccountToken.path`);
      } else {
        const message = `projected source "${Object.keys(source).join(', ')}" is not supported`;
        throw new InterlinkError('Invalid', message, { field: at });
      }
    }
  } else throw new InterlinkError('Invalid', `volume "${volume.name}" is neither projected nor downwardAPI`, { field });

  return { metadata: { name: volume.name, namespace: pod.metadata.namespace }, ...split(files) };
}

function select(
  kind: 'ConfigMap' | 'Secret',
  { name, items, optional }: Selection,
  content: ObjectContent | undefined,
  write: (path: string, content: Uint8Array, field: string) => void,
  field: string,
): void {
  if (content === undefined) {
    if (optional) return;
    throw new MissingReference(kind, name);
  }
  const wanted = items?.length ? items : Array.from(content.keys(), (key) => ({ key, path: key }));
  for (const { key, path } of wanted) {
    const bytes = content.get(key);
    if (bytes !== undefined) write(path, bytes, field);
    else if (!optional) throw new MissingReference(kind, name, key);
  }
}

function downwardText(pod: Pod, item: DownwardItem, sources: ProjectionSources, field: string): string {
  const { fieldRef, resourceFieldRef } = item;
  if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, sources.nodeName, `${field}.fieldRef.fieldPath`);
  if (resourceFieldRef) {
    return resourceFieldValue(pod, resourceFieldRef, undefined, sources.allocatable, `${field}.resourceFieldRef`);
  }
  throw new InterlinkError('Invalid', 'the item names neither a fieldRef nor a resourceFieldRef', { field });
}

/** Text where possible: classic plugins read `data` alone. */
function split(files: ReadonlyMap<string, Uint8Array>): Pick<ConfigMap, 'data' | 'binaryData'> {
  const data: [string, string][] = [];
  const binaryData: [string, string][] = [];
  for (const [path, content] of files) {
    const text = utf8(content);
    if (text === undefined) binaryData.push([path, Buffer.from(content).toString('base64')]);
    else data.push([path, text]);
  }
  return {
    data: Object.fromEntries(data),
    ...(binaryData.length > 0 ? { binaryData: Object.fromEntries(binaryData) } : {}),
  };
}

/** Undefined = not UTF-8. A byte-order mark is content like any other and must survive. */
function utf8(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}
