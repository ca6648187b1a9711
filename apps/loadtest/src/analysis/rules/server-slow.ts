import {
  sign,
  counter,
  when,
  isAnswer,
  order,
  single,
  taken,
  explainsDelay,
  dose,
  type CauseRule,
} from './cause-rule.ts';

export const serverSlow: CauseRule = {
  cause: 'server-slow',
  refutedBy: "the server's event loops had no delay while deliveries were late",
  weigh: (facts) => {
    if (!facts.has('server-loop-delayed') && !facts.has('server-busy')) return [];
    const delay = facts.times(({ serverLoopDelayMs }) => serverLoopDelayMs);
    return [
      ...when(facts.has('server-loop-delayed'), () =>
        sign(2, `its event loops were held up, ${(delay ?? 1).toFixed(0)} times as long as usual`),
      ),
      ...when(facts.has('server-busy'), () =>
        sign(1, 'an event loop of the server was busy nearly all the time'),
      ),
      ...when(facts.has('deliveries-late'), () => sign(1, 'deliveries were late')),
      ...dose(
        facts.doseOnLatency(({ serverLoopDelayMs }) => serverLoopDelayMs),
        'the delay of its event loops',
      ),
      ...order(facts, 'server-loop-delayed', 'server-busy'),
      ...when(facts.has('server-restarted'), () => counter(4, 'the server started again')),
      ...when(facts.has('server-unreadable'), () =>
        counter(2, 'the server did not respond at all for a time'),
      ),
      ...when(
        facts.has('viewers-dropped') || facts.incidents('send-failed').some(({ reason }) => isAnswer(reason)),
        () => counter(2, 'connections were lost or events refused, which a slow server does not do'),
      ),
      ...when(facts.secondsOf('deliveries-stopped') >= 2, () =>
        counter(1, 'nothing was delivered for a time'),
      ),
      ...when(!facts.has('deliveries-late') && !facts.has('sends-stalled'), () =>
        counter(2, 'deliveries were not late'),
      ),
      ...when(
        facts.latest !== undefined && facts.shareOfLatest('server-loop-delayed', 'server-busy') < 0.25,
        () => counter(2, 'not in the seconds in which deliveries were latest'),
      ),
      ...when(!explainsDelay(facts), () =>
        counter(2, 'the delay of its event loops is far less than that of deliveries'),
      ),
      ...single(facts),
      ...taken(facts),
    ];
  },
};
