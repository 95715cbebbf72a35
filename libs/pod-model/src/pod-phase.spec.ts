import { containerStatusSchema, podSchema, type ContainerStatus } from '@interlink/contract';
import { phaseOf } from './pod-phase.ts';

/** "w" waiting, "r" running, "0"/"1" ended with that code, "w1" waiting to run again after code 1, "-" not mentioned. */
function statusesOf(prefix: string, states: readonly string[]): ContainerStatus[] {
  return states.flatMap((state, index) => {
    const name = `${prefix}${index}`;
    if (state === '-') return [];
    if (state === 'r') return [containerStatusSchema.parse({ name, state: { running: {} }, started: true })];
    if (!state.startsWith('w'))
      return [containerStatusSchema.parse({ name, state: { terminated: { exitCode: Number(state) } } })];
    const lastState = state.length > 1 ? { terminated: { exitCode: Number(state.slice(1)) } } : {};
    return [containerStatusSchema.parse({ name, state: { waiting: {} }, lastState })];
  });
}

function phase(policy: string, main: string, init = '', restarts = true) {
  const mains = main.split(' ');
  const inits = init === '' ? [] : init.split(' ');
  const { spec } = podSchema.parse({
    metadata: { name: 'p' },
    spec: {
      restartPolicy: policy,
      containers: mains.map((_, index) => ({ name: `c${index}` })),
      // An "S" before the state makes it a native sidecar.
      initContainers: inits.map((state, index) => ({
        name: `i${index}`,
        ...(state.startsWith('S') ? { restartPolicy: 'Always' } : {}),
      })),
    },
  });
  const initContainerStatuses = statusesOf(
    'i',
    inits.map((state) => state.replace('S', '')),
  );
  return phaseOf(spec, { containerStatuses: statusesOf('c', mains), initContainerStatuses }, { restarts });
}

function rule(operator: string, ...values: number[]): object {
  return { action: 'Restart', exitCodes: { operator, values } };
}

describe('phaseOf', () => {
  it.each([
    ['Always', 'r', 'Running'],
    ['Always', 'w', 'Pending'],
    ['Always', 'r w', 'Pending'],
    ['Always', 'r w1', 'Running'],
    ['Always', 'w1', 'Running'],
    ['Always', '0', 'Running'],
    ['Always', '1', 'Running'],
    ['OnFailure', '0 0', 'Succeeded'],
    ['OnFailure', '0 1', 'Running'],
    ['OnFailure', 'w1', 'Running'],
    ['Never', '0', 'Succeeded'],
    ['Never', '0 1', 'Failed'],
    ['Never', 'r 1', 'Running'],
    ['Never', '-', 'Pending'],
    ['Never', '0 -', 'Pending'],
    ['Never', 'r -', 'Pending'],
  ])('%s: containers %s = %s', (policy, main, expected) => {
    expect(phase(policy, main)).toBe(expected);
  });

  it.each([
    ['Always', 'w', 'r', 'Pending'],
    ['Always', 'w', '0 w', 'Pending'],
    ['Always', 'r', '0 0', 'Running'],
    ['Always', 'w', '1', 'Pending'],
    ['OnFailure', 'w', 'w1', 'Pending'],
    ['Never', 'w', '1', 'Failed'],
    ['Never', '-', '1', 'Failed'],
    ['Never', 'r', '-', 'Running'],
    ['Never', 'w', '-', 'Pending'],
    ['Always', 'w', 'Sr', 'Pending'],
    ['Always', 'r', 'Sr', 'Running'],
    ['Always', 'r', 'Sw1', 'Running'],
    ['Never', '0', 'Sr', 'Running'],
    ['Never', '0', 'S1', 'Succeeded'],
    ['Never', '1', 'S0', 'Failed'],
  ])('%s: containers %s, init containers %s = %s', (policy, main, init, expected) => {
    expect(phase(policy, main, init)).toBe(expected);
  });

  it.each<[string, object, string]>([
    ['Never', { restartPolicy: 'OnFailure' }, 'Running'],
    ['Always', { restartPolicy: 'Never' }, 'Failed'],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: [rule('In', 1)] }, 'Running'],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: [rule('NotIn', 1)] }, 'Failed'],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: [rule('In', 2), rule('NotIn', 3)] }, 'Running'],
    ['Always', { restartPolicy: 'Never', restartPolicyRules: [rule('In', 2)] }, 'Failed'],
    // Rules count only beside a policy of the container's own.
    ['Never', { restartPolicyRules: [rule('In', 1)] }, 'Failed'],
  ])('%s, and a container with %j that ended with 1 = %s', (restartPolicy, fields, expected) => {
    const { spec } = podSchema.parse({
      metadata: { name: 'p' },
      spec: { restartPolicy, containers: [{ name: 'c0', ...fields }] },
    });
    expect(phaseOf(spec, { containerStatuses: statusesOf('c', ['1']), initContainerStatuses: [] })).toBe(expected);
  });

  it.each([
    ['Always', '0', '', 'Succeeded'],
    ['Always', '1', '', 'Failed'],
    ['OnFailure', '1 0', '', 'Failed'],
    ['OnFailure', 'w', '1', 'Failed'],
    ['Always', 'r 1', '', 'Running'],
  ])('%s: containers %s, init containers "%s" = %s where nothing runs again', (policy, main, init, expected) => {
    expect(phase(policy, main, init, false)).toBe(expected);
  });
});
