import { InterlinkError, type Container, type Pod } from '@interlink/contract';
import { z } from 'zod';

/** What the contract leaves untouched of a Pod and a container's spec is made of. Go writes absent values as null. */
const text = z.string().nullish();
const id = z.number().int().nonnegative().nullish();
const bool = z.boolean().nullish();
const texts = z.array(z.string()).nullish();
const profile = z.looseObject({ type: z.string() }).nullish();
const seLinux = z.looseObject({ user: text, role: text, type: text, level: text }).nullish();

const both = {
  runAsUser: id,
  runAsGroup: id,
  runAsNonRoot: bool,
  seccompProfile: profile,
  appArmorProfile: profile,
  seLinuxOptions: seLinux,
};

const podSchema = z.looseObject({
  hostname: text,
  subdomain: text,
  setHostnameAsFQDN: bool,
  hostnameOverride: text,
  hostNetwork: bool,
  hostPID: bool,
  hostIPC: bool,
  shareProcessNamespace: bool,
  hostAliases: z.array(z.looseObject({ ip: z.string(), hostnames: texts })).nullish(),
  dnsPolicy: text,
  dnsConfig: z
    .looseObject({
      nameservers: texts,
      searches: texts,
      options: z.array(z.looseObject({ name: z.string(), value: text })).nullish(),
    })
    .nullish(),
  securityContext: z
    .looseObject({
      ...both,
      fsGroup: id,
      fsGroupChangePolicy: text,
      supplementalGroups: z.array(z.number().int().nonnegative()).nullish(),
      supplementalGroupsPolicy: text,
      sysctls: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
    })
    .nullish(),
});

const containerSchema = z.looseObject({
  stdin: bool,
  stdinOnce: bool,
  tty: bool,
  ports: z
    .array(
      z.looseObject({
        containerPort: z.number().int(),
        hostPort: z.number().int().nullish(),
        protocol: text,
        hostIP: text,
      }),
    )
    .nullish(),
  securityContext: z
    .looseObject({
      ...both,
      capabilities: z.looseObject({ add: texts, drop: texts }).nullish(),
      privileged: bool,
      readOnlyRootFilesystem: bool,
      allowPrivilegeEscalation: bool,
      procMount: text,
    })
    .nullish(),
});

export type PodFields = z.infer<typeof podSchema>;
export type ContainerFields = z.infer<typeof containerSchema>;

/** @throws InterlinkError Invalid that names the field which is of the wrong type. */
export function podFields(pod: Pod): PodFields {
  return parsed(podSchema, pod.spec, 'spec');
}

/** `where` is the container's own path, for the error. */
export function containerFields(container: Container, where = `container ${container.name}`): ContainerFields {
  return parsed(containerSchema, container, where);
}

/** Whether the container of this name has a terminal: what it writes comes without frames then. */
export function hasTerminal({ spec }: Pod, name: string): boolean {
  const all = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  return all.some((container) => container.name === name && containerFields(container).tty === true);
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = [where, ...(issue?.path ?? [])].join('.').replace(/\.(\d+)(?=\.|$)/g, '[$1]');
  throw new InterlinkError('Invalid', `${field}: ${issue?.message ?? 'wrong type'}`, { field });
}
