import { podSchema, podStatusSchema } from '@interlink/contract';
import { isStarting, showsStarting } from './starting-status.ts';

const waiting = (reason: string) => ({ name: 'main', state: { waiting: { reason } } });
const running = { name: 'main', state: { running: {} } };

describe('a status that is not worth a write at once', () => {
  const starting = (status: object) =>
    isStarting(podStatusSchema.parse({ name: 'p', namespace: 'ns', UID: 'u', ...status }));

  it('is one that says no more than that the pod is being started', () => {
    expect(starting({ phase: 'Pending', containers: [waiting('ContainerCreating')] })).toBe(true);
    expect(starting({ phase: 'Pending', containers: [waiting('PodInitializing')], initContainers: [] })).toBe(true);
    expect(starting({ phase: 'Pending' })).toBe(true);
  });
  it('is none with a reason, an init container that runs, or another phase', () => {
    expect(starting({ phase: 'Pending', containers: [waiting('ErrImagePull')] })).toBe(false);
    expect(
      starting({ phase: 'Pending', containers: [waiting('PodInitializing')], initContainers: [{ ...running }] }),
    ).toBe(false);
    expect(starting({ phase: 'Running', containers: [running] })).toBe(false);
    expect(starting({})).toBe(false);
  });
});

describe('a Pod that shows it already', () => {
  const shows = (status?: object) =>
    showsStarting(podSchema.parse({ metadata: { name: 'p' }, spec: { containers: [{ name: 'main' }] }, status }));

  it('needs no second write for it', () => {
    expect(shows({ phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] })).toBe(true);
  });
  it('is not one that shows nothing yet, or why it had to wait', () => {
    expect(shows()).toBe(false);
    expect(shows({ phase: 'Pending' })).toBe(false);
    expect(shows({ phase: 'Pending', containerStatuses: [waiting('SiteUnavailable')] })).toBe(false);
    expect(shows({ phase: 'Running', containerStatuses: [running] })).toBe(false);
  });
});
