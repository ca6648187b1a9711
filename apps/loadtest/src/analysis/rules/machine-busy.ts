import type { EpisodeFacts } from '../episode-facts.ts';
import { sign, counter, when, order, wasTaken, type CauseRule } from './cause-rule.ts';

/** Whether it was so in most of the other seconds too: what is there all the time explains no change. */
function isUsual({ run, fromS, toS }: EpisodeFacts): boolean {
  const isOutside = ({ atS }: { atS: number }): boolean =>
    atS > 0 && (atS < fromS || atS >= toS) && atS < run.durationS;
  const busy = run.incidents.filter((incident) => incident.kind === 'machine-busy' && isOutside(incident));
  return busy.length > 0.5 * run.timeline.filter(isOutside).length;
}

export const machineBusy: CauseRule = {
  cause: 'machine-busy',
  refutedBy: 'the same happens on a machine on which nothing else runs',
  weigh: (facts) => {
    const busyS = facts.secondsOf('machine-busy');
    if (busyS === 0) return [];
    return [
      sign(1, `others took a quarter of the CPU and more for ${busyS} s, and none was left`),
      ...when(wasTaken(facts) && isUsual(facts), () =>
        counter(1, 'as in most of the run, so it does not explain why just then'),
      ),
      ...when(wasTaken(facts) && !isUsual(facts), () =>
        sign(2, 'in most of the seconds in which something was late or held up'),
      ),
      ...when(facts.has('server-loop-delayed') && facts.has('generator-limit'), () =>
        sign(1, 'the server and the generator were held up, which have only the machine in common'),
      ),
      ...order(facts, 'machine-busy').filter(({ weight }) => weight < 0),
      ...when(facts.has('sends-failed') || facts.has('viewers-dropped'), () =>
        counter(2, 'requests failed or connections were lost, which waiting does not do'),
      ),
      ...when(facts.has('server-unreadable') || facts.has('server-restarted'), () =>
        counter(3, 'the server did not respond'),
      ),
    ];
  },
};
