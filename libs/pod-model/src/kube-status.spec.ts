import { podSchema, podStatusSchema, type PodCondition } from '@interlink/contract';
import { toKubeStatus, type OwnPodStatus } from './kube-status.ts';
import { statusPatch } from './status-patch.ts';

const now = new Date('2026-03-04T05:06:07.890Z');
const nowText = '2026-03-04T05:06:07Z';
const early = '2026-01-01T00:00:00Z';

function podWith(status: Record<string, unknown> = {}, spec: Record<string, unknown> = {}) {
  return podSchema.parse({
    metadata: { name: 'p', namespace: 'ns', uid: 'u', generation: 2 },
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }], ...spec },
    status: { phase: 'Pending', qosClass: 'BestEffort', ...status },
  });
}

function reportOf(fields: Record<string, unknown>) {
  return podStatusSchema.parse({ name: 'p', UID: 'u', namespace: 'ns', ...fields });
}

const running = { name: 'c', state: { running: { startedAt: '2026-01-01T00:00:05.123Z' } }, ready: true };
const exited = (exitCode: number, more = {}) => ({ name: 'c', state: { terminated: { exitCode, ...more } } });

function conditionOf(status: OwnPodStatus, type: string): PodCondition | undefined {
  return status.conditions.find((condition) => condition.type === type);
}

describe('toKubeStatus', () => {
  it('makes a running pod of a running report', () => {
    const report = reportOf({
      phase: 'Running',
      startTime: '2026-01-01T00:00:04.5Z',
      podIPs: ['127.0.0.1', '10.0.0.5', '10.0.0.6', 'fe80::1', 'fd00::5', 'nonsense'],
      hostIPs: ['192.168.1.1'],
      containers: [running],
    });
    expect(toKubeStatus(podWith(), report, now)).toEqual({
      phase: 'Running',
      startTime: '2026-01-01T00:00:04Z',
      podIP: '10.0.0.5',
      podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }],
      hostIP: '192.168.1.1',
      hostIPs: [{ ip: '192.168.1.1' }],
      containerStatuses: [
        {
          name: 'c',
          state: { running: { startedAt: '2026-01-01T00:00:05Z' } },
          lastState: {},
          ready: true,
          started: true,
          restartCount: 0,
          image: 'busybox',
          imageID: '',
        },
      ],
      initContainerStatuses: [],
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        (type) => ({
          type,
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: nowText,
        }),
      ),
      qosClass: 'BestEffort',
      observedGeneration: 2,
    });
  });

  it('keeps transition times, start time, addresses and the conditions of others', () => {
    const conditions = [
      { type: 'Ready', status: 'True', lastTransitionTime: early },
      { type: 'PodScheduled', status: 'True', lastTransitionTime: early },
      { type: 'site.example/checked', status: 'False', reason: 'Theirs' },
    ];
    const pod = podWith({
      phase: 'Running',
      startTime: early,
      podIP: '10.0.0.5',
      conditions,
      reason: 'SiteUnavailable',
    });
    const status = toKubeStatus(
      pod,
      reportOf({ phase: 'Running', containers: [running], startTime: nowText, podIPs: [] }),
      now,
    );
    expect(status).toMatchObject({ startTime: early, podIP: '10.0.0.5', podIPs: [{ ip: '10.0.0.5' }] });
    expect(status.reason).toBeUndefined();
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'True', lastTransitionTime: early });
    expect(conditionOf(status, 'ContainersReady')).toMatchObject({ lastTransitionTime: nowText });
    expect(status.conditions.at(-1)).toEqual({ type: 'site.example/checked', status: 'False', reason: 'Theirs' });
  });

  it('never leaves a terminal phase, nor lets a container come back from its end', () => {
    const ended = podWith({ phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses: [exited(1)] });
    const status = toKubeStatus(ended, reportOf({ phase: 'Running', containers: [running] }), now);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses: [exited(1)] });

    const still = podWith({ phase: 'Running', containerStatuses: [exited(0)] }, { restartPolicy: 'OnFailure' });
    const report = reportOf({ phase: 'Running', containers: [running] });
    expect(toKubeStatus(still, report, now).containerStatuses).toMatchObject([exited(0)]);

    const again = podWith({ phase: 'Running', containerStatuses: [exited(1)] }, { restartPolicy: 'OnFailure' });
    expect(toKubeStatus(again, report, now).containerStatuses[0]?.state?.running).toBeDefined();
  });

  it('keeps the true reason and exit code, and marks what was not seen to end', () => {
    const containers = [{ name: 'c' }, { name: 'd' }];
    const report = reportOf({
      phase: 'Failed',
      reason: 'OutOfTime',
      message: 'time limit',
      containers: [exited(137, { reason: 'OOMKilled', finishedAt: 'soon' }), { ...running, name: 'd' }],
    });
    const status = toKubeStatus(podWith({}, { containers }), report, now);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'OutOfTime', message: 'time limit' });
    expect(status.containerStatuses.map(({ state }) => state?.terminated)).toMatchObject([
      { exitCode: 137, reason: 'OOMKilled', finishedAt: null },
      { exitCode: 137, reason: 'ContainerStatusUnknown', startedAt: '2026-01-01T00:00:05Z' },
    ]);
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'PodFailed' });
    expect(conditionOf(status, 'PodReadyToStartContainers')?.status).toBe('False');
  });

  it('passes on what a container runs with, and nothing that is no amount', () => {
    const resources = { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '500m' } };
    const statusOf = (more: object) =>
      toKubeStatus(podWith(), reportOf({ containers: [{ ...running, ...more }] }), now).containerStatuses[0];
    expect(statusOf({ resources, allocatedResources: resources.requests })).toMatchObject({
      resources,
      allocatedResources: resources.requests,
    });
    expect(statusOf({ resources: { limits: { cpu: {} } }, allocatedResources: 7 })).not.toHaveProperty('resources');
  });

  it('respects readiness gates', () => {
    const spec = { readinessGates: [{ conditionType: 'gate' }] };
    const report = reportOf({ phase: 'Running', containers: [running] });
    const ready = (conditions: unknown[]) =>
      conditionOf(toKubeStatus(podWith({ conditions }, spec), report, now), 'Ready');
    expect(ready([])).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    expect(ready([{ type: 'gate', status: 'False' }])?.message).toBe(
      'the status of pod readiness gate "gate" is not "True", but False',
    );
    expect(ready([{ type: 'gate', status: 'True' }])).toMatchObject({ status: 'True' });
  });

  it('tells what an uninitialized pod waits for', () => {
    const spec = { initContainers: [{ name: 'i' }] };
    const init = { name: 'i', state: { running: {} }, ready: true };
    const status = toKubeStatus(podWith({}, spec), reportOf({ phase: 'Pending', initContainers: [init] }), now);
    expect(status.containerStatuses[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
    expect(status.initContainerStatuses[0]?.ready).toBe(false);
    expect(conditionOf(status, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [i]',
    });
    expect(conditionOf(status, 'Ready')).toMatchObject({
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [c]',
    });
  });
});

describe('toKubeStatus for a classic plugin', () => {
  const status = (pod: ReturnType<typeof podWith>, fields: Record<string, unknown>) =>
    toKubeStatus(pod, reportOf(fields), now);

  it('derives the phase, and counts running as ready', () => {
    const always = podWith({}, { restartPolicy: 'Always' });
    expect(status(always, { containers: [{ ...running, ready: false }] })).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ ready: true }],
    });
    expect(status(always, { containers: [exited(0)] }).phase).toBe('Succeeded');
    expect(status(always, { containers: [exited(3)] }).phase).toBe('Failed');
  });

  it.each([{ containers: [] }, { containers: null }, { phase: 'Unknown' }])('takes %j for no news', (fields) => {
    const before = podWith({ phase: 'Running', containerStatuses: [running] });
    expect(status(before, fields)).toMatchObject({ phase: 'Running', containerStatuses: [{ state: running.state }] });
  });

  it('takes init containers that are never mentioned for done once an app container runs', () => {
    const spec = { initContainers: [{ name: 'i' }] };
    const waiting = status(podWith({}, spec), { containers: [{ name: 'c', state: { waiting: {} } }] });
    expect(waiting.phase).toBe('Pending');
    const started = status(podWith({ ...waiting }, spec), { containers: [running] });
    expect(started).toMatchObject({
      phase: 'Running',
      initContainerStatuses: [{ state: { terminated: { exitCode: 0 } } }],
    });
    expect(conditionOf(started, 'Initialized')?.status).toBe('True');
  });

  it('ends a pod whose init container failed', () => {
    const spec = { initContainers: [{ name: 'i' }], restartPolicy: 'OnFailure' };
    const init = { ...exited(2), name: 'i' };
    const containers = [{ name: 'c', state: { waiting: {} } }];
    expect(status(podWith({}, spec), { initContainers: [init], containers }).phase).toBe('Failed');
  });
});

describe('ephemeral containers', () => {
  const spec = { ephemeralContainers: [{ name: 'debug', image: 'i' }] };
  const first = toKubeStatus(podWith({}, spec), reportOf({ phase: 'Running', containers: [running] }), now);

  it('have statuses of their own and decide about nothing', () => {
    expect(first.ephemeralContainerStatuses).toMatchObject([
      { name: 'debug', state: { waiting: { reason: 'ContainerCreating' } } },
    ]);
    const debug = { name: 'debug', state: { running: { startedAt: early } }, ready: true };
    const report = reportOf({ phase: 'Running', containers: [running], ephemeralContainers: [debug] });
    const pod = podWith({ ...first }, spec);
    const next = toKubeStatus(pod, report, now);
    expect(next.ephemeralContainerStatuses).toMatchObject([{ state: { running: {} }, ready: false }]);
    expect(Object.keys(statusPatch(pod, next) ?? {})).toEqual(['ephemeralContainerStatuses']);
  });

  it('end with the pod, and are not mentioned where there are none', () => {
    const debug = { name: 'debug', state: { running: { startedAt: early } } };
    const report = reportOf({ phase: 'Succeeded', containers: [exited(0)], ephemeralContainers: [debug] });
    const ended = toKubeStatus(podWith({}, spec), report, now);
    expect(ended.ephemeralContainerStatuses).toMatchObject([{ state: { terminated: { exitCode: 137 } } }]);
    expect(toKubeStatus(podWith(), report, now)).not.toHaveProperty('ephemeralContainerStatuses');
  });
});

describe('statusPatch', () => {
  const report = reportOf({ phase: 'Running', containers: [running], podIPs: ['10.0.0.5'] });
  const first = toKubeStatus(podWith(), report, now);

  it('is nothing where nothing changed, whatever the time', () => {
    // As the kube-apiserver gives it back: its own extra fields, nulls for unset times, another order of keys.
    const stored = { ...first, conditions: first.conditions.toReversed(), extra: 1, message: null };
    const pod = podWith(stored);
    expect(statusPatch(pod, toKubeStatus(pod, report, new Date('2027-01-01')))).toBeUndefined();
  });

  it('holds what changed alone, and unsets by null', () => {
    const pod = podWith({ ...first, reason: 'Old', podIPs: [{ ip: '10.0.0.4' }] });
    expect(statusPatch(pod, first)).toEqual({
      reason: null,
      podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.5' }],
    });
    const ended = toKubeStatus(podWith({ ...first }), reportOf({ phase: 'Succeeded', containers: [exited(0)] }), now);
    const patch = statusPatch(podWith({ ...first }), ended);
    expect(Object.keys(patch ?? {}).sort()).toEqual(['conditions', 'containerStatuses', 'phase']);
    expect(patch?.['conditions']).toMatchObject([
      { type: 'PodReadyToStartContainers', status: 'False', reason: null },
      { type: 'Initialized', status: 'True', reason: 'PodCompleted', message: null },
      { type: 'Ready', status: 'False', reason: 'PodCompleted' },
      { type: 'ContainersReady', status: 'False', reason: 'PodCompleted' },
    ]);
  });
});
