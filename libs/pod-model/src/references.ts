import type { Container, Pod, Volume } from '@interlink/contract';

/**
 * `volume`: the object itself is mounted, so it travels as it is. `projected`: its content is a part of a projected
 * volume and travels flattened. `env`: only values of it travel. `pull`: a registry login.
 */
export type ReferencePurpose = 'env' | 'volume' | 'projected' | 'pull';

export interface ObjectReference {
  kind: 'ConfigMap' | 'Secret';
  name: string;
  purpose: ReferencePurpose;
  /** False as soon as one use for this purpose is mandatory. */
  optional: boolean;
}

export interface TokenRequest {
  volume: string;
  path: string;
  /** Undefined = the kube-apiserver's own. */
  audience: string | undefined;
  expirationSeconds: number;
}

export interface PodReferences {
  /** One entry for each kind, name and purpose. */
  objects: ObjectReference[];
  tokens: TokenRequest[];
}

/** What the admission plugin writes into pods. Asked for as such, the kube-apiserver gives a token of a whole year. */
const injectedExpiration = 3607;
const defaultExpiration = 3600;

/** What the pod needs from the cluster before it can be sent out. Pull secrets are optional, as in the kubelet. */
export function listReferences(pod: Pod): PodReferences {
  const objects = new Map<string, ObjectReference>();
  const add = (
    kind: ObjectReference['kind'],
    name: string | undefined,
    purpose: ReferencePurpose,
    isOptional: boolean | null | undefined,
  ) => {
    if (!name) return;
    const optional = isOptional === true;
    const known = objects.get(`${kind}/${purpose}/${name}`);
    if (known === undefined) objects.set(`${kind}/${purpose}/${name}`, { kind, name, purpose, optional });
    else known.optional &&= optional;
  };

  const addContainer = ({ env, envFrom }: Container) => {
    for (const { configMapRef, secretRef } of envFrom ?? []) {
      add('ConfigMap', configMapRef?.name, 'env', configMapRef?.optional);
      add('Secret', secretRef?.name, 'env', secretRef?.optional);
    }
    for (const { value, valueFrom } of env ?? []) {
      if (value) continue;
      add('ConfigMap', valueFrom?.configMapKeyRef?.name, 'env', valueFrom?.configMapKeyRef?.optional);
      add('Secret', valueFrom?.secretKeyRef?.name, 'env', valueFrom?.secretKeyRef?.optional);
    }
  };
  const addVolume = ({ configMap, secret, projected }: Volume) => {
    add('ConfigMap', configMap?.name, 'volume', configMap?.optional);
    add('Secret', secret?.secretName, 'volume', secret?.optional);
    for (const source of projected?.sources ?? []) {
      add('ConfigMap', source.configMap?.name, 'projected', source.configMap?.optional);
      add('Secret', source.secret?.name, 'projected', source.secret?.optional);
    }
  };

  for (const container of pod.spec.initContainers ?? []) addContainer(container);
  for (const container of pod.spec.containers) addContainer(container);
  for (const volume of pod.spec.volumes ?? []) addVolume(volume);
  for (const { name } of pod.spec.imagePullSecrets ?? []) add('Secret', name, 'pull', true);
  return { objects: [...objects.values()], tokens: (pod.spec.volumes ?? []).flatMap(tokensOf) };
}

function tokensOf({ name, projected }: Volume): TokenRequest[] {
  return (projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) => {
    if (!token) return [];
    const wanted = token.expirationSeconds ?? defaultExpiration;
    const expirationSeconds = wanted === injectedExpiration ? defaultExpiration : wanted;
    return [{ volume: name, path: token.path, audience: token.audience || undefined, expirationSeconds }];
  });
}
