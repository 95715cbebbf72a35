import {
  InterlinkError,
  type ConfigMap,
  type Container,
  type EnvVar,
  type Pod,
  type Secret,
} from '@interlink/contract';
import { fieldValue, isStartFieldPath, resourceFieldValue } from './downward.ts';
import { escapeReferences, expandReferences } from './expand.ts';
import { MissingReference } from './missing-reference.ts';
import { ownValue } from './own-value.ts';

/** What the variables of a pod may come from; objects by name, all of the pod's namespace. */
export interface EnvSources {
  configMaps: ReadonlyMap<string, ConfigMap>;
  secrets: ReadonlyMap<string, Secret>;
  nodeName: string;
  /** The variables of the cluster's services; everything else overrides them. */
  serviceEnv?: Readonly<Record<string, string>> | undefined;
  /** Stands in for limits that are unset (resourceFieldRef). */
  allocatable?: Readonly<Record<string, string | number>> | undefined;
}

type EnvFrom = NonNullable<Container['envFrom']>[number];

/** Printable ASCII but `=`: what Kubernetes takes as the name of a variable. */
const envName = /^[ -<>-~]+$/;

/**
 * The pod with `envFrom` emptied and every reference in `env` replaced by its value, except status.podIP(s) and
 * status.hostIP(s), which the site resolves at start. The order is service variables, `envFrom`, `env`.
 *
 * Literal values stay unexpanded and resolved ones are escaped, so one expansion at the site gives the exact bytes.
 * A name defined twice is kept twice only where the earlier value is referred to before it is overridden
 * (`PATH=$(PATH):/opt`); otherwise the last definition stands alone, in its own place.
 *
 * Throws MissingReference (wait), or an InterlinkError `Invalid` that names the field (can never run).
 */
export function resolveEnv(pod: Pod, sources: EnvSources): Pod {
  const { containers, initContainers } = pod.spec;
  const resolveAll = (list: readonly Container[], field: string) =>
    list.map((container, index) => resolveContainerEnv(pod, container, sources, `${field}[${index}]`));
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: resolveAll(containers, 'spec.containers'),
      ...(initContainers ? { initContainers: resolveAll(initContainers, 'spec.initContainers') } : {}),
    },
  };
}

/** The same for one container, which need not be in the pod's spec (an ephemeral one). */
export function resolveContainerEnv(pod: Pod, container: Container, sources: EnvSources, field: string): Container {
  const env: EnvVar[] = [];
  const addResolved = (name: string, value: string) => env.push({ name, value: escapeReferences(value) });

  for (const [name, value] of Object.entries(sources.serviceEnv ?? {})) addResolved(name, value);
  for (const envFrom of container.envFrom ?? []) {
    for (const [key, value] of Object.entries(importedVariables(envFrom, sources))) {
      const name = `${envFrom.prefix ?? ''}${key}`;
      if (envName.test(name)) addResolved(name, value);
    }
  }
  for (const [index, entry] of (container.env ?? []).entries()) {
    const { name, value, valueFrom } = entry;
    if (value || !valueFrom) env.push({ name, value: value ?? '' });
    else if (valueFrom.fieldRef && isStartFieldPath(valueFrom.fieldRef.fieldPath)) env.push({ name, valueFrom });
    else {
      const resolved = referredValue(pod, container, valueFrom, sources, `${field}.env[${index}].valueFrom`);
      if (resolved !== undefined) addResolved(name, resolved);
    }
  }
  return { ...container, envFrom: [], env: withoutOverridden(env) };
}

function importedVariables({ configMapRef, secretRef }: EnvFrom, sources: EnvSources): Record<string, string> {
  if (configMapRef) {
    const configMap = sources.configMaps.get(configMapRef.name);
    if (!configMap && !configMapRef.optional) throw new MissingReference('ConfigMap', configMapRef.name);
    return configMap?.data ?? {};
  }
  if (secretRef) {
    const secret = sources.secrets.get(secretRef.name);
    if (!secret && !secretRef.optional) throw new MissingReference('Secret', secretRef.name);
    return Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, decodeText(value)]));
  }
  return {};
}

/** Undefined = optional and absent: the variable is left out. */
function referredValue(
  pod: Pod,
  container: Container,
  valueFrom: NonNullable<EnvVar['valueFrom']>,
  sources: EnvSources,
  field: string,
): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, sources.nodeName, `${field}.fieldRef.fieldPath`);
  if (resourceFieldRef) {
    return resourceFieldValue(pod, resourceFieldRef, container, sources.allocatable, `${field}.resourceFieldRef`);
  }
  if (configMapKeyRef) {
    const configMap = sources.configMaps.get(configMapKeyRef.name);
    return required(
      'ConfigMap',
      configMapKeyRef,
      configMap !== undefined,
      ownValue(configMap?.data, configMapKeyRef.key),
    );
  }
  if (secretKeyRef) {
    const secret = sources.secrets.get(secretKeyRef.name);
    const value = required('Secret', secretKeyRef, secret !== undefined, ownValue(secret?.data, secretKeyRef.key));
    return value === undefined ? undefined : decodeText(value);
  }
  throw new InterlinkError('Invalid', `env source "${Object.keys(valueFrom).join(', ')}" is not supported`, { field });
}

function required(
  kind: 'ConfigMap' | 'Secret',
  ref: { name: string; key: string; optional?: boolean | null | undefined },
  objectExists: boolean,
  value: string | undefined,
): string | undefined {
  if (value !== undefined || ref.optional) return value;
  throw new MissingReference(kind, ref.name, objectExists ? ref.key : undefined);
}

function decodeText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** Walks backwards, so that at each definition it is known whether anything up to the next one refers to it. */
function withoutOverridden(env: readonly EnvVar[]): EnvVar[] {
  const definedLater = new Set<string>();
  const referred = new Set<string>();
  const kept: EnvVar[] = [];
  for (const entry of env.toReversed()) {
    if (definedLater.has(entry.name) && !referred.has(entry.name)) continue;
    definedLater.add(entry.name);
    referred.delete(entry.name);
    expandReferences(entry.value ?? '', (name) => {
      referred.add(name);
      return '';
    });
    kept.push(entry);
  }
  return kept.reverse();
}
