import { sign, counter, when, order, percent, type CauseRule } from './cause-rule.ts';

export const serverPaused: CauseRule = {
  cause: 'server-paused',
  refutedBy: "the server's own log has lines from the seconds in which nothing was delivered",
  weigh: (facts) => {
    const silentS = Math.max(facts.secondsOf('deliveries-stopped'), facts.secondsOf('sends-stalled'));
    if (silentS === 0) return [];
    return [
      ...when(facts.has('deliveries-stopped'), () =>
        sign(1, `nothing was delivered for ${facts.secondsOf('deliveries-stopped')} s`),
      ),
      ...when(facts.has('sends-stalled') && !facts.has('sends-failed'), () =>
        sign(1, 'nothing was acknowledged or refused meanwhile'),
      ),
      ...when(facts.has('server-unreadable'), () => sign(2, "the server's metrics could not be read")),
      ...when(facts.lostShare < 0.1, () => sign(1, 'viewers kept their connections')),
      ...order(facts, 'server-unreadable'),
      ...when(facts.has('server-restarted'), () => counter(4, 'the server started again')),
      ...when(facts.lostShare >= 0.5, () =>
        counter(2, `${percent(facts.lostShare)} of the viewers lost their connection`),
      ),
      ...when(!facts.has('server-unreadable') && !facts.has('server-loop-delayed'), () =>
        counter(3, "the server's metrics were read meanwhile, and its event loops had no delay"),
      ),
    ];
  },
};
