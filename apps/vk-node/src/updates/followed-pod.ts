import type { Pod, Volume } from '@interlink/contract';
import { listReferences, type ObjectReference, type TokenRequest } from '@interlink/pod-model';
import type { SentContent } from '../pods/create-request.ts';
import { objectKey } from '../pods/object-reader.ts';

/** A volume of files whose content may change while the pod runs. */
export interface FollowedVolume {
  readonly volume: Volume;
  readonly objects: readonly ObjectReference[];
  readonly tokens: readonly TokenRequest[];
  /** It shows labels or annotations. */
  readonly isDownward: boolean;
  /** The versions that the site has, by object key; without an entry it is not known. */
  shown: ReadonlyMap<string, string>;
  /** When its tokens are due, ms since the epoch. */
  refreshAt: number;
  isStale: boolean;
}

/** What vk-node remembers of a pod that runs, so that its site gets to know what changes. */
export interface FollowedPod {
  pod: Pod;
  /** What of the pod itself the site has, as {@link ownPart}; undefined: not known. */
  sentPart: string | undefined;
  readonly volumes: readonly FollowedVolume[];
}

/** @param sent what the pod's create was made of; undefined: an earlier life of ours made it, the site may have anything. */
export function followedPod(pod: Pod, sent: SentContent | undefined): FollowedPod {
  return {
    pod,
    sentPart: sent && ownPart(pod),
    volumes: (pod.spec.volumes ?? []).flatMap((volume): FollowedVolume[] => {
      const { objects, tokens } = listReferences(onlyVolume(pod, volume));
      const isDownward = showsMetadata(volume);
      if (objects.length === 0 && tokens.length === 0 && !isDownward) return [];
      const due = sent?.tokens.filter((token) => token.volume === volume.name).map(({ refreshAt }) => refreshAt) ?? [];
      return [
        {
          volume,
          objects,
          tokens,
          isDownward,
          shown: sent?.versions ?? new Map(),
          refreshAt: Math.min(Infinity, ...due),
          isStale: sent === undefined,
        },
      ];
    }),
  };
}

/** Whether nothing has to be asked for to know the volume's content. */
export function isOfItself({ objects, tokens }: FollowedVolume): boolean {
  return objects.length === 0 && tokens.length === 0;
}

/** Takes over the pod as it is now. @returns whether the site has to be told. */
export function podChanged(followed: FollowedPod, pod: Pod): boolean {
  const before = followed.pod;
  followed.pod = pod;
  if (metadataOf(before) !== metadataOf(pod)) {
    for (const volume of followed.volumes) volume.isStale ||= volume.isDownward;
  }
  return ownPart(pod) !== followed.sentPart || followed.volumes.some(({ isStale }) => isStale);
}

/** An object has been read. @returns whether the site has to be told. */
export function objectSeen(followed: FollowedPod, key: string, version: string): boolean {
  const { namespace } = followed.pod.metadata;
  for (const volume of followed.volumes) {
    if (!volume.objects.some(({ kind, name }) => objectKey(kind, namespace, name) === key)) continue;
    if (volume.shown.get(key) !== version) volume.isStale = true;
  }
  return followed.volumes.some(({ isStale }) => isStale);
}

/**
 * What of the pod itself a running job follows: images, resources and ephemeral containers; labels and annotations only
 * where a volume shows them.
 */
export function ownPart(pod: Pod): string {
  const { containers, initContainers, volumes } = pod.spec;
  const changeable = [...(initContainers ?? []), ...containers].map(({ image, resources }) => [image, resources]);
  const shown = (volumes ?? []).some(showsMetadata) ? metadataOf(pod) : '';
  return JSON.stringify([changeable, pod.spec['ephemeralContainers'] ?? [], shown]);
}

export function keysOf({ pod, volumes }: FollowedPod): Set<string> {
  const { namespace } = pod.metadata;
  return new Set(volumes.flatMap(({ objects }) => objects.map(({ kind, name }) => objectKey(kind, namespace, name))));
}

function metadataOf({ metadata: { labels, annotations } }: Pod): string {
  return JSON.stringify([labels ?? {}, annotations ?? {}]);
}

function showsMetadata({ downwardAPI, projected }: Volume): boolean {
  const items = [
    ...(downwardAPI?.items ?? []),
    ...(projected?.sources ?? []).flatMap((source) => source.downwardAPI?.items ?? []),
  ];
  return items.some(({ fieldRef }) => /^metadata\.(labels|annotations)/.test(fieldRef?.fieldPath ?? ''));
}

function onlyVolume(pod: Pod, volume: Volume): Pod {
  return { ...pod, spec: { containers: [], volumes: [volume] } };
}
