import { sign, counter, when, single, taken, explainsDelay, type CauseRule } from './cause-rule.ts';

export const networkSlow: CauseRule = {
  cause: 'network-slow',
  refutedBy: 'a client beside the server sees the same latency',
  weigh: (facts) => {
    if (!facts.has('deliveries-late')) return [];
    const median = facts.times(({ p50Ms }) => p50Ms);
    return [
      sign(1, 'deliveries were late'),
      ...when(facts.highest((second) => second.serverLoopDelayMs) !== null && !explainsDelay(facts), () =>
        sign(2, "the server's event loops had no delay that explains it"),
      ),
      ...when(median !== null && median >= 2, () =>
        sign(1, `all deliveries were late: their median was ${median!.toFixed(1)} times the usual`),
      ),
      ...when(explainsDelay(facts), () => counter(2, "the server's event loops were held up")),
      ...when(facts.shareOfLatest('generator-limit') >= 0.5, () =>
        counter(2, 'the generator was at its limit'),
      ),
      ...when(facts.has('server-unreadable') || facts.has('server-restarted'), () =>
        counter(3, 'the server did not respond'),
      ),
      ...when(facts.has('viewers-dropped'), () => counter(1, 'viewers lost their connections')),
      ...single(facts),
      ...taken(facts),
    ];
  },
};
