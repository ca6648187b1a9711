import { sign, counter, when, order, percent, type CauseRule } from './cause-rule.ts';

export const connectionsCut: CauseRule = {
  cause: 'connections-cut',
  refutedBy: 'the server closed them itself: its log or metrics count the connections that it ended',
  weigh: (facts) => {
    const drops = facts.of('viewers-dropped');
    if (drops.length === 0) return [];
    return [
      sign(
        facts.lostShare >= 0.5 ? 3 : 2,
        `${percent(facts.lostShare)} of the viewers lost their connection`,
      ),
      ...when(!facts.has('sends-failed') && !facts.has('sends-stalled'), () =>
        sign(1, 'sending went on meanwhile'),
      ),
      ...when(!facts.has('server-unreadable'), () =>
        sign(1, "the server's metrics could be read all the time"),
      ),
      // What was late before may be of another cause: a lost connection is one itself.
      ...order(facts, 'viewers-dropped').filter(({ weight }) => weight > 0),
      ...when(facts.has('server-restarted'), () => counter(4, 'the server started again')),
      ...when(facts.has('server-unreadable'), () => counter(2, "the server's metrics could not be read")),
    ];
  },
};
