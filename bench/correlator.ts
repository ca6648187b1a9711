/**
 * What does one event cost the correlator's core, and does it depend on how many groups are open, with rules and without? What memory
 * does a group take? What does it cost that ids may join, where none does? Rival, in the same run: the same grouping with the usual idle queue, a JavaScript Map kept in order of last activity.
 * Arguments: the numbers of open groups; --rounds n. Each measurement is a process of its own, so that no heap is another's.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { printConditions } from './conditions.ts';
import { eventsPerGroup, kinds, type Kind, type Result } from './correlator/measure-core.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '2' }, 'heap-mb': { type: 'string', default: '8192' } },
});
const sizes = positionals.length > 0 ? positionals.map(Number) : [1_000, 10_000, 100_000, 1_000_000];
const rounds = Number(values.rounds);
const flags = ['--expose-gc', `--max-old-space-size=${values['heap-mb']}`];

async function measure(kind: Kind, open: number): Promise<Result> {
  const script = join(import.meta.dirname, 'correlator/measure-core.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, kind, String(open)]);
  return JSON.parse(stdout) as Result;
}

printConditions(
  `${eventsPerGroup} events a group, 3 rules; CPU µs an event: best of 10 stretches / mean with garbage collection, best of ${rounds} rounds; node ${flags.join(' ')}`,
);
console.log(
  'open groups | ours        | joining, ratio best / mean | with rules  | Map as queue | Map/ours, best / mean | bytes/group, new / 10 events | with rules  | documents',
);
for (const open of sizes) {
  const results = new Map<Kind, Result[]>(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++)
    for (const kind of kinds) results.get(kind)!.push(await measure(kind, open));
  const counts = new Set([...results.values()].flat().map(({ documents }) => documents));
  if (counts.size !== 1) throw new Error(`they disagree: ${[...counts].join(', ')} groups closed`);
  const least = (kind: Kind, figure: 'best' | 'mean'): number =>
    Math.min(...results.get(kind)!.map((result) => result[figure]));
  const cost = (kind: Kind): string =>
    `${least(kind, 'best').toFixed(2)} / ${least(kind, 'mean').toFixed(2)}`;
  const bytes = (kind: Kind): string => {
    const { bytesPerNewGroup, bytesPerGroup } = results.get(kind)![0]!;
    return `${bytesPerNewGroup.toFixed(0)} / ${bytesPerGroup.toFixed(0)}`;
  };
  const ratioOf = (kind: Kind, figure: 'best' | 'mean'): string =>
    (least(kind, figure) / least('ours', figure)).toFixed(2);
  console.log(
    [
      String(open).padStart(11),
      cost('ours').padStart(11),
      `${cost('ours joining')}, ${ratioOf('ours joining', 'best')} / ${ratioOf('ours joining', 'mean')}`.padStart(
        26,
      ),
      cost('ours with rules').padStart(11),
      cost('Map').padStart(12),
      `${ratioOf('Map', 'best')} / ${ratioOf('Map', 'mean')}`.padStart(21),
      bytes('ours').padStart(28),
      bytes('ours with rules').padStart(11),
      [...counts][0],
    ].join(' | '),
  );
}
