import { sign, when, percent, type CauseRule } from './cause-rule.ts';

export const memoryLeak: CauseRule = {
  cause: 'memory-leak',
  refutedBy: 'the memory stops growing in a longer run at the same load',
  weigh: (facts) => {
    const [growth] = facts.of('server-memory-grows');
    if (growth === undefined) return [];
    return [
      sign(
        5,
        `the server's memory grew by ${growth.amount.toFixed(0)} MiB at a steady load, ${growth.detail}`,
      ),
      ...when(growth.usual > 0 && growth.amount > 0.3 * growth.usual, () =>
        sign(1, `that is ${percent(growth.amount / growth.usual)} of what it had`),
      ),
    ];
  },
};
