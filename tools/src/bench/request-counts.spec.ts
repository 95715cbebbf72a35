import { kubeRequestsOfPods, madeBetween, total } from './request-counts.ts';

const before = new Map([
  ['interlink-api ping', 3],
  ['kube-apiserver PATCH pods', 5],
]);
const after = new Map([
  ['interlink-api ping', 4],
  ['interlink-api create', 2],
  ['kube-apiserver PATCH pods', 5],
  ['kube-apiserver PATCH pods/status', 20],
  ['kube-apiserver POST events', 10],
  ['kube-apiserver PUT leases', 7],
  ['kube-apiserver PATCH nodes/status', 1],
]);

it('what was made between two looks', () => {
  expect(madeBetween(before, new Map([...before, ['interlink-api ping', 4]]))).toEqual(
    new Map([['interlink-api ping', 1]]),
  );
});

it('the total of a peer, not of one whose name begins alike', () => {
  expect(total(new Map([...after, ['interlink-api-2 ping', 100]]), 'interlink-api')).toBe(6);
});

it('what pods cost the kube-apiserver, without heartbeats and the node', () => {
  expect(kubeRequestsOfPods(madeBetween(before, after))).toEqual([
    ['PATCH pods/status', 20],
    ['POST events', 10],
  ]);
});
