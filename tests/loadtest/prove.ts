/**
 * `node tests/loadtest/prove.ts`: that the load test finds the bugs of injected-bug.ts, each as what it is, and nothing in a sound server.
 * Prints a table in Markdown; exits with 1 when something was not found, or something was found that was not there. It takes about 35
 * minutes of a machine that does nothing else; with smaller numbers (`--help`) less.
 */
import { compare, type RunResult } from '@logloom/loadtest';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { figure } from '../../apps/loadtest/src/verdict/figure.ts';
import { findingsOf, injectedBy } from './findings.ts';
import { patchedServer, type PatchedServer } from './patched-server.ts';
import {
  comingAndGoing,
  duet,
  duetWarmUp,
  everything,
  runOn,
  slowReaders,
  steadyViewers,
} from './proof-scenarios.ts';
import type { InjectedBug } from './injected-bug.ts';

const options = {
  clean: { type: 'string', default: '20' },
  injections: { type: 'string', default: '3' },
  gaps: { type: 'string', default: '2' },
  leaks: { type: 'string', default: '2' },
  rounds: { type: 'string', default: '12' },
  alike: { type: 'string', default: '12' },
  help: { type: 'boolean', default: false },
} as const;
const { values } = parseArgs({ options });
if (values.help) {
  console.log(
    `node tests/loadtest/prove.ts ${Object.keys(options)
      .filter((name) => name !== 'help')
      .map((name) => `[--${name} N]`)
      .join(' ')}`,
  );
  process.exit();
}

const rows: string[][] = [];
let wrong = 0;

function tell(what: string, runs: number, found: string, isRight: boolean): void {
  if (!isRight) wrong++;
  rows.push([what, String(runs), `${found}${isRight ? '' : ' **WRONG**'}`]);
  console.error(`${new Date().toISOString()} ${what}: ${found}${isRight ? '' : ' WRONG'}`);
}

async function runs(server: PatchedServer, scenario: string, count: number): Promise<RunResult[]> {
  const results: RunResult[] = [];
  for (let i = 0; i < count; i++) results.push(await runOn(server, scenario));
  return results;
}

/** What a run without a fault must not have: findings of its viewers and of the search, and objectives missed. */
function foundIn(result: RunResult): string[] {
  const { delivery, search, verdict } = result;
  return [
    ...Object.entries(findingsOf(result)).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : [])),
    ...(delivery.viewers.exact < delivery.viewers.checked ? ['viewers that are not exact'] : []),
    ...(search === null || search.found < search.acknowledged || search.requests.broken > 0
      ? ['events or requests that the search does not have whole']
      : []),
    ...verdict.objectives
      .filter(({ outcome, metric }) => outcome === 'missed' && !/-ms$|percent$|recovery/.test(metric))
      .map(({ metric }) => `${metric} missed`),
  ];
}

async function proveClean(count: number): Promise<void> {
  await using server = await patchedServer();
  const results = await runs(server, everything, count);
  const found = results.flatMap(foundIn);
  const sum = (of: (result: RunResult) => number): string =>
    figure(results.reduce((total, result) => total + of(result), 0));
  tell(
    'none: viewers that stop reading, come back, and are cut',
    count,
    `${found.length === 0 ? 'nothing' : found.join(', ')} in ${sum(({ delivery }) => delivery.expected)} deliveries, of which ${sum(({ delivery }) => delivery.announced)} were left out and announced`,
    found.length === 0,
  );
  // Half of them against the other half: from six runs a side on a difference could be found.
  const [even, odd] = [0, 1].map((rest) => results.filter((_, i) => i % 2 === rest));
  const { metrics, differences } = compare(even!, odd!);
  const differing = metrics.filter(({ outcome }) => outcome === 'worse' || outcome === 'better');
  tell(
    'none: every second run compared with the others',
    count,
    [
      ...(differing.length === 0
        ? ['nothing worse or better']
        : differing.map(({ metric, outcome }) => `${metric} ${outcome}`)),
      ...differences,
    ].join('; '),
    differing.length === 0,
  );
}

async function proveDeliveries(count: number): Promise<void> {
  await using server = await patchedServer(['drop', 'double', 'swap']);
  const results = await runs(server, steadyViewers, count);
  const injections = server.injections();
  for (const [bug, kind, what] of [
    ['drop', 'lost', '1 of 10,000 events left out'],
    ['double', 'duplicated', '1 of 10,000 sent twice'],
    ['swap', 'disordered', '2 of 10,000 swapped'],
  ] as const) {
    const injected = injections.filter((each) => each.bug === bug);
    const found = results.reduce((total, { delivery }) => total + delivery[kind].count, 0);
    const isPlace = results.every(({ delivery: { [kind]: finding } }) =>
      injected.some(
        ({ partition, offset }) =>
          partition === finding.example?.partition && offset === finding.example?.offset,
      ),
    );
    tell(
      what,
      count,
      `${found} of ${injected.length} as ${kind}`,
      found === injected.length && found > 0 && isPlace,
    );
  }
}

async function proveGaps(count: number): Promise<void> {
  await using server = await patchedServer(['announce-fewer']);
  const results = await runs(server, slowReaders, count);
  const injected = injectedBy(server.injections()).underAnnounced!;
  const found = results.reduce((total, { delivery }) => total + delivery.underAnnounced.count, 0);
  const others = results.flatMap((result) =>
    Object.entries(findingsOf(result)).filter(([kind, number]) => kind !== 'underAnnounced' && number > 0),
  );
  tell(
    'one too few announced by each gap',
    count,
    injected === 0
      ? 'no viewer was far enough behind for a gap'
      : `${found} of ${injected} as underAnnounced${others.length > 0 ? `, and ${others.join()}` : ''}`,
    found === injected && others.length === 0,
  );
}

async function proveLeak(count: number): Promise<void> {
  for (const isLeaking of [true, false])
    for (let i = 0; i < count; i++) {
      await using server = await patchedServer(isLeaking ? ['leak'] : [], { isHeapSmall: true });
      const [result] = await runs(server, comingAndGoing, 1);
      const growth = result!.server?.memoryGrowth ?? null;
      const range = growth?.interval.map(figure).join(' to ');
      tell(
        isLeaking ? '1 KiB kept for each connection' : 'none: viewers that come and go all the time',
        1,
        growth === null
          ? 'too few collections of the heap'
          : `${figure(growth.perConnectionBytes)} bytes a connection (${range}), ${growth.collections} collections, ${figure(growth.connections)} connections`,
        // An interval of 95 % need not hold the truth each time; a leak has to be told from none.
        growth !== null && (isLeaking ? growth.interval[0] > 256 : growth.interval[0] <= 256),
      );
    }
}

/**
 * Runs two servers at the same time, in as many rounds, both started anew for each: what the machine does meanwhile happens to both (Bulej et
 * al., Duet benchmarking, 2020), and how processes of one build differ is in the rounds.
 */
async function runDuets(rounds: number, bugs: readonly InjectedBug[]): Promise<[RunResult[], RunResult[]]> {
  const [baseline, candidate]: [RunResult[], RunResult[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await using sound = await patchedServer();
    await using other = await patchedServer(bugs);
    const servers = [sound, other];
    // Code is compiled.
    await Promise.all(servers.map((server) => runOn(server, duetWarmUp)));
    const [before, after] = await Promise.all(servers.map((server) => runOn(server, duet)));
    baseline.push(before!);
    candidate.push(after!);
  }
  return [baseline, candidate];
}

async function proveSlowness(rounds: number, bugs: readonly InjectedBug[] = ['slow']): Promise<void> {
  const { metrics, differences } = compare(...(await runDuets(rounds, bugs)));
  const found = metrics.find(({ metric }) => metric === 'server-cpu-per-delivery-us')!;
  const shown = metrics.filter(({ outcome }) => /worse|better/.test(outcome));
  const isSlow = bugs.length > 0;
  // What takes more CPU has a higher share of it too, and deliveries wait for it.
  const isRight = shown.every(
    ({ metric, outcome }) => isSlow && outcome === 'worse' && /^server-cpu|^delivery-p/.test(metric),
  );
  const ratio = found.ratio === null ? '' : `, by ${found.ratio.interval.map(percent).join(' to ')}`;
  const others = shown.filter((each) => each !== found);
  tell(
    isSlow ? '10 % more CPU for all that it does' : 'none: two servers compared in rounds',
    2 * rounds,
    `CPU by delivery **${found.outcome.replace('-', ' ')}**: ${figure(found.baseline ?? NaN)} to ${figure(found.candidate ?? NaN)} us${ratio}, p ${figure(found.p ?? NaN)} by ${found.test} of ${found.rounds ?? 0} rounds, changes from ${figure(found.smallestChange ?? NaN)} us on are shown${others.map(({ metric, outcome }) => `; ${outcome}: ${metric}`).join('')}${differences.map((each) => `; ${each}`).join('')}`,
    isRight && (!isSlow || found.outcome === 'worse'),
  );
}

const percent = (ratio: number): string => `${figure(100 * (ratio - 1))} %`;

const parts: [(count: number) => Promise<void>, number][] = [
  [proveClean, Number(values.clean)],
  [proveDeliveries, Number(values.injections)],
  [proveGaps, Number(values.gaps)],
  [proveLeak, Number(values.leaks)],
  [proveSlowness, Number(values.rounds)],
  [(rounds) => proveSlowness(rounds, []), Number(values.alike)],
];
const began = performance.now();
for (const [prove, count] of parts) if (count > 0) await prove(count);
const header = ['what the server does wrong', 'runs', 'what the load test says'];
for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
console.log(
  `\n${Math.round((performance.now() - began) / 1_000)} s, ${availableParallelism()} cores (${cpus()[0]?.model}), Node ${process.version}; server and generator on the same machine.`,
);
process.exitCode = wrong > 0 ? 1 : 0;
