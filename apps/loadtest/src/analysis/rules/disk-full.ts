import { sign, counter, when, isStorage, order, type CauseRule } from './cause-rule.ts';

export const diskFull: CauseRule = {
  cause: 'disk-full',
  refutedBy: 'the disk of the data folder had more room than its reserve',
  weigh: (facts) => {
    const storage = facts.incidents('send-failed').filter(({ reason }) => isStorage(reason));
    if (storage.length === 0 && !facts.has('server-disk-short')) return [];
    return [
      ...when(storage.length > 0, () => sign(3, `events were refused with ${storage[0]!.reason}`)),
      ...when(facts.has('server-disk-short'), () => sign(3, 'the free space was below its reserve')),
      ...order(facts, 'server-disk-short', 'sends-failed'),
      ...when(!facts.has('sends-failed') && !facts.has('sends-stalled'), () =>
        counter(2, 'events were stored all the time'),
      ),
    ];
  },
};
