import type { Container } from '@interlink/contract';
import { z } from 'zod';
import { check, only, refuse, rules, type Rule } from '../check-table.ts';
import { careFor } from './settings.ts';

const probeRules: Record<string, Rule> = {
  ...rules('exec httpGet tcpSocket grpc initialDelaySeconds periodSeconds timeoutSeconds'),
  ...rules('successThreshold failureThreshold terminationGracePeriodSeconds'),
};
const lifecycleRules = rules('postStart preStop stopSignal');
const handlerRules = rules('exec httpGet tcpSocket sleep');
/** What is in each kind of action. */
const actionRules: Record<string, Record<string, Rule>> = {
  exec: rules('command'),
  httpGet: { ...rules('path port host scheme httpHeaders'), protocol: only('HTTP1') },
  tcpSocket: rules('port host'),
  grpc: { ...rules('port service'), mode: only('Plaintext', 'PlainText') },
  sleep: rules('seconds'),
};

const objectsSchema = z.record(z.string(), z.unknown()).nullish();
const restartRulesSchema = z.array(z.looseObject({ action: z.string() })).nullish();

/** @throws InterlinkError Invalid for a probe or hook of a kind that is not known here, or that cannot be read. */
export function checkCare(container: Container, where: string): void {
  try {
    careFor(container);
  } catch (error) {
    const path = error instanceof z.ZodError ? (error.issues[0]?.path.join('.') ?? '') : '';
    refuse(`${where}.${path}`, 'its value cannot be read');
  }
  for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe'])
    checkActions(container[kind], probeRules, `${where}.${kind}`);
  const lifecycle = objectsSchema.parse(container['lifecycle'] ?? {}) ?? {};
  check(lifecycle, lifecycleRules, `${where}.lifecycle`);
  for (const hook of ['postStart', 'preStop'])
    checkActions(lifecycle[hook], handlerRules, `${where}.lifecycle.${hook}`);
  const unknown = restartRulesSchema
    .parse(container['restartPolicyRules'])
    ?.findIndex(({ action }) => action !== 'Restart');
  if (unknown !== undefined && unknown >= 0)
    refuse(`${where}.restartPolicyRules[${unknown}].action`, 'the one action that is supported is Restart');
}

function checkActions(value: unknown, table: Record<string, Rule>, where: string): void {
  const fields = objectsSchema.parse(value ?? {}) ?? {};
  check(fields, table, where);
  for (const [kind, inner] of Object.entries(actionRules)) {
    const action = objectsSchema.parse(fields[kind]);
    if (action) check(action, inner, `${where}.${kind}`);
  }
}
