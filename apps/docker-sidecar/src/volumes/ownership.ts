import type { Pod, Volume } from '@interlink/contract';
import { volumePath, type VolumeFile } from '@interlink/pod-model';
import { containerFields, podFields } from '../spec/pod-fields.ts';

interface Owned {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Modes and owners of what is made in the pod's volumes, as the kubelet gives them. */
export interface Ownership {
  readonly emptyDir: Owned;
  /** Folders among the files of the cluster's. */
  readonly folder: Owned;
  readonly file: (volume: Volume, file: VolumeFile) => Owned;
}

const setGid = 0o2000;

/**
 * With an fsGroup the group owns everything, may read the files, and whatever is made later belongs to it too. Tokens
 * are for their user alone where that is known.
 */
export function ownershipOf(pod: Pod): Ownership {
  const fsGroup = podFields(pod).securityContext?.fsGroup ?? undefined;
  const user = commonUser(pod);
  const group = fsGroup === undefined ? {} : { gid: fsGroup };
  const shared = fsGroup === undefined ? 0 : setGid;
  return {
    emptyDir: { mode: 0o777 | shared, ...group },
    folder: { mode: 0o755 | shared, ...group },
    file: (volume, { path, mode }) => {
      const token = isToken(volume, path) && (user !== undefined || fsGroup !== undefined);
      return {
        mode: (token ? 0o600 : mode) | (fsGroup === undefined ? 0 : 0o440),
        ...(token && user !== undefined ? { uid: user } : {}),
        ...group,
      };
    },
  };
}

/** The user that all containers of the pod run as; undefined where they differ or one goes by its image. */
function commonUser(pod: Pod): number | undefined {
  const ofPod = podFields(pod).securityContext?.runAsUser ?? undefined;
  const users = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(
    (container) => containerFields(container).securityContext?.runAsUser ?? ofPod,
  );
  return new Set(users).size === 1 ? users[0] : undefined;
}

function isToken({ projected }: Volume, path: string): boolean {
  return (projected?.sources ?? []).some(
    ({ serviceAccountToken: token }) => token && volumePath(token.path, 'path') === path,
  );
}
