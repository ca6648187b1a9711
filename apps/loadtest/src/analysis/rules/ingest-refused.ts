import { sign, counter, when, isStorage, isAnswer, order, percent, type CauseRule } from './cause-rule.ts';

export const ingestRefused: CauseRule = {
  cause: 'ingest-refused',
  refutedBy: "the server's log or metrics name a reason for the refusals, such as a store that fails",
  weigh: (facts) => {
    const refused = facts.incidents('send-failed').filter(({ reason }) => isAnswer(reason));
    if (refused.length === 0) return [];
    return [
      sign(3, `events were refused: ${refused[0]!.reason}`),
      ...when(facts.lostShare < 0.1 && !facts.has('connect-failures'), () =>
        sign(1, 'viewers kept their connections'),
      ),
      ...order(facts, 'sends-failed'),
      ...when(refused.some(({ reason }) => isStorage(reason)) || facts.has('server-disk-short'), () =>
        counter(3, 'the disk was full'),
      ),
      ...when(facts.has('server-restarted'), () => counter(3, 'the server started again')),
      ...when(facts.lostShare >= 0.5, () =>
        counter(1, `${percent(facts.lostShare)} of the viewers lost their connection`),
      ),
    ];
  },
};
