import { sign, counter, when, order, single, taken, type CauseRule } from './cause-rule.ts';

/** Held up for less it is no more than a busy machine. */
const lastingS = 3;

export const generatorLimit: CauseRule = {
  cause: 'generator-limit',
  refutedBy: 'another client, on a machine of its own, sees the same latency at the same time',
  weigh: (facts) => {
    const limitS = facts.secondsOf('generator-limit');
    if (limitS === 0) return [];
    const lateMs = Math.max(0, ...facts.incidents('generator-late').map(({ reason }) => parseFloat(reason)));
    const paused = facts.incidents('generator-paused').length;
    return [
      sign(limitS >= lastingS ? 2 : 1, `a process of the generator was at its limit in ${limitS} s`),
      ...when(facts.shareOfLatest('generator-limit') >= 0.5, () =>
        sign(1, 'in most of the seconds in which deliveries were latest'),
      ),
      ...when(lateMs > 0 && lateMs >= 0.5 * (facts.latest?.amount ?? Infinity), () => ({
        kind: 'dose',
        weight: 1,
        text: `it sent up to ${lateMs} ms late, as much as deliveries were`,
      })),
      ...when(paused > 1, () => sign(1, 'its event loops were held up')),
      ...order(facts, 'generator-limit'),
      ...single(facts),
      ...taken(facts),
      ...when(facts.shareOfLatest('server-loop-delayed') >= 0.5, () =>
        counter(2, "the server's event loops were held up as well"),
      ),
      ...when(
        facts.has('sends-failed') || facts.has('viewers-dropped') || facts.has('connect-failures'),
        () => counter(3, 'requests or connections failed, which a slow client does not do'),
      ),
      ...when(facts.has('server-unreadable') || facts.has('server-restarted'), () =>
        counter(2, 'the server did not respond'),
      ),
    ];
  },
};
