import type { Evidence, SymptomKind } from './analysis-result.ts';
import type { CauseName } from './cause-names.ts';
import type { EpisodeFacts } from './episode-facts.ts';

export interface CauseRule {
  cause: CauseName;
  /** The evidence for and against it; none: it is no candidate. */
  weigh: (facts: EpisodeFacts) => Evidence[];
  refutedBy: string;
}

const sign = (weight: number, text: string): Evidence => ({ kind: 'sign', weight, text });
const counter = (weight: number, text: string): Evidence => ({
  kind: 'counter-evidence',
  weight: -weight,
  text,
});
const when = (holds: boolean, evidence: () => Evidence): Evidence[] => (holds ? [evidence()] : []);

/** The heaviest consequence; a slight delay before it may be of another cause. */
function effectOf(facts: EpisodeFacts): number | null {
  const silence = facts.beginning('deliveries-stopped', 'sends-stalled');
  if (silence !== null) return silence;
  return facts.latest?.fromS ?? null;
}

/** A cause begins no later than what it leads to. */
function order(facts: EpisodeFacts, ...signs: readonly SymptomKind[]): Evidence[] {
  const [cause, effect] = [facts.beginning(...signs), effectOf(facts)];
  if (cause === null || effect === null || effect === cause) return [];
  const apartS = Math.abs(effect - cause);
  return effect > cause
    ? [{ kind: 'time order', weight: 1, text: `it began ${apartS} s before deliveries or sending changed` }]
    : apartS < 2
      ? []
      : [
          {
            kind: 'time order',
            weight: -2,
            text: `it began ${apartS} s after deliveries or sending changed`,
          },
        ];
}

/** What a busy machine does to anyone. */
function single(facts: EpisodeFacts): Evidence[] {
  const late = facts.of('deliveries-late');
  const isShort = late.length > 0 && late.every(({ fromS, toS }) => toS - fromS === 1);
  return when(isShort, () => counter(2, 'deliveries were late in single seconds only'));
}

/** A delivery waits for an event loop a few times at most. */
const mostWaits = 4;

function explainsDelay(facts: EpisodeFacts): boolean {
  if (!facts.has('server-loop-delayed') && !facts.has('server-busy')) return false;
  if (facts.shareOfLatest('server-busy') >= 0.5) return true;
  const [delay, late] = [
    facts.highest(({ serverLoopDelayMs }) => serverLoopDelayMs),
    facts.highest(({ p99Ms }) => p99Ms),
  ];
  return delay === null || late === null || late <= mostWaits * delay;
}

function dose(correlation: number | null, what: string): Evidence[] {
  if (correlation === null) return [];
  const text = `the rank correlation of ${what} with the p99 of deliveries is ${correlation.toFixed(2)}`;
  if (correlation >= 0.6) return [{ kind: 'dose', weight: 1, text }];
  return correlation < 0.2 ? [{ kind: 'dose', weight: -1, text }] : [];
}

const isStorage = (reason: string): boolean => /disk-full|507|no-room|insufficient/.test(reason);
const isAnswer = (reason: string): boolean => /^\d{3}\b/.test(reason);

/** A generator held up for less is no more than a busy machine. */
const lastingS = 3;

/** Every rule, in the order in which equal candidates are listed. docs/loadtest-analysis.md explains each. */
export const causeRules: readonly CauseRule[] = [
  {
    cause: 'server-stopped',
    refutedBy: "the start time of the server's processes did not change, or an operator restarted nothing",
    weigh: (facts) => {
      const refused = facts
        .incidents('connect-failed', 'send-failed')
        .filter(({ reason }) => /REFUSED|RESET|no answer|502|closed/.test(reason));
      if (!facts.has('server-restarted') && facts.lostShare < 0.9) return [];
      return [
        ...when(facts.has('server-restarted'), () =>
          sign(4, "the start time of the server's processes changed"),
        ),
        ...when(facts.lostShare >= 0.9, () =>
          sign(1, `${percent(facts.lostShare)} of the viewers lost their connection`),
        ),
        ...when(refused.length > 0, () =>
          sign(1, `connections were refused or reset: ${refused[0]!.reason}`),
        ),
        ...when(facts.has('server-unreadable'), () => sign(1, "the server's metrics could not be read")),
        ...when(!facts.has('server-restarted') && !facts.has('server-unreadable'), () =>
          counter(3, "the server's metrics could be read all the time"),
        ),
      ];
    },
  },
  {
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
  },
  {
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
  },
  {
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
  },
  {
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
  },
  {
    cause: 'generator-limit',
    refutedBy: 'another client, on a machine of its own, sees the same latency at the same time',
    weigh: (facts) => {
      const limitS = facts.secondsOf('generator-limit');
      if (limitS === 0) return [];
      const lateMs = Math.max(
        0,
        ...facts.incidents('generator-late').map(({ reason }) => parseFloat(reason)),
      );
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
  },
  {
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
          facts.has('viewers-dropped') ||
            facts.incidents('send-failed').some(({ reason }) => isAnswer(reason)),
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
      ];
    },
  },
  {
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
        ...when(facts.has('generator-limit'), () => counter(2, 'the generator was at its limit')),
        ...when(facts.has('server-unreadable') || facts.has('server-restarted'), () =>
          counter(3, 'the server did not respond'),
        ),
        ...when(facts.has('viewers-dropped'), () => counter(1, 'viewers lost their connections')),
        ...single(facts),
      ];
    },
  },
  {
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
  },
];

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
