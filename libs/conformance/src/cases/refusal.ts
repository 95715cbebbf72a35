import { refused } from '../answer.ts';
import { check, same, show } from '../check.ts';
import { section } from '../conformance-case.ts';
import { exitCodeOf, hasEnded } from '../container-state.ts';

/** A kind of volume that no site will ever have. */
const absurd = {
  spec: { volumes: [{ name: 'v', conformanceAbacus: { beads: 7 } }] },
  container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
};

export const refusalCases = section('refusal', 'extensions', [
  {
    name: 'names-field',
    title: 'What the site can never run is Invalid (422), and the field is named',
    async run(context) {
      const pod = context.pod({ script: 'true', ...absurd });
      const { field, message } = refused(await context.sendCreate(pod), 'create with an absurd volume', 'Invalid');
      check(field?.includes('volumes') === true, `field: expected the volume, got ${show(field)}: ${message}`);
      same(await context.statuses([pod]), [], 'status of what was refused');
    },
  },
  {
    name: 'not-remembered',
    title: 'A refused pod is not remembered: without the field it is taken',
    async run(context) {
      const refusedPod = context.pod({ script: 'exit 0', ...absurd });
      refused(await context.sendCreate(refusedPod), 'create with an absurd volume', 'Invalid');
      const corrected = context.pod({ script: 'exit 0', uid: refusedPod.uid });
      await context.create(corrected);
      same(exitCodeOf(await context.until(corrected, 'the end of the pod', hasEnded)), 0, 'exit code');
    },
  },
]);
