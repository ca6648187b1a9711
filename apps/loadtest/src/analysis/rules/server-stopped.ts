import { sign, counter, when, percent, type CauseRule } from './cause-rule.ts';

export const serverStopped: CauseRule = {
  cause: 'server-stopped',
  refutedBy: "the start time of the server's processes did not change, or an operator restarted nothing",
  weigh: (facts) => {
    const refused = facts
      .incidents('connect-failed', 'send-failed')
      .filter(({ reason }) => /REFUSED|RESET|no answer|502|closed/.test(reason));
    if (!facts.has('server-restarted') && facts.lostShare < 0.9) return [];
    return [
      ...when(facts.has('server-restarted'), () =>
        sign(4, "the counters of the server's processes began at 0 again"),
      ),
      ...when(facts.lostShare >= 0.9, () =>
        sign(1, `${percent(facts.lostShare)} of the viewers lost their connection`),
      ),
      ...when(refused.length > 0, () => sign(1, `connections were refused or reset: ${refused[0]!.reason}`)),
      ...when(facts.has('server-unreadable'), () => sign(1, "the server's metrics could not be read")),
      ...when(!facts.has('server-restarted') && !facts.has('server-unreadable'), () =>
        counter(3, "the server's metrics could be read all the time"),
      ),
    ];
  },
};
