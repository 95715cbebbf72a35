import { createReplySchema } from '@interlink/contract';
import { json } from '../answer.ts';
import { check, same } from '../check.ts';
import { section } from '../conformance-case.ts';
import { hasEnded, exitCodeOf } from '../container-state.ts';
import { createBody } from '../test-pod.ts';

export const createCases = section('create', 'core', [
  {
    name: 'object',
    title: 'A create answers 200 with PodUID and PodJID, and the pod runs',
    async run(context) {
      const pod = context.pod({ script: 'exit 0' });
      const { PodUID, PodJID } = await context.create(pod);
      same(PodUID, pod.uid, 'PodUID');
      check(PodJID !== '', 'PodJID is empty: the job has no id');
      const status = await context.until(pod, 'the end of the pod', hasEnded);
      same(exitCodeOf(status), 0, 'exit code');
    },
  },
  {
    name: 'array',
    title: 'A create as an array of one, the older dialect, does the same',
    leg: 'sidecar',
    async run(context) {
      const pod = context.pod({ script: 'exit 0' });
      const answer = await context.sendCreate(pod, [createBody('sidecar', pod)]);
      same(json(answer, createReplySchema, 'create').PodUID, pod.uid, 'PodUID');
      await context.until(pod, 'the end of the pod', hasEnded);
    },
  },
  {
    name: 'go-nulls',
    title: 'Absent values as null and fields unknown to the contract are taken',
    async run(context) {
      const pod = context.pod({
        script: 'exit 0',
        spec: { initContainers: null, volumes: null, hostAliases: null, conformanceUnset: null },
        container: { env: null, ports: null, volumeMounts: null, livenessProbe: null },
      });
      const body = createBody(context.target.leg, pod);
      const metadata = { ...pod.pod.metadata, creationTimestamp: null, managedFields: [{ manager: 'conformance' }] };
      const whole = { apiVersion: 'v1', kind: 'Pod', ...pod.pod, metadata, status: null };
      json(await context.sendCreate(pod, { ...body, pod: whole, conformance: {} }), createReplySchema, 'create');
      await context.until(pod, 'the end of the pod', hasEnded);
    },
  },
]);
