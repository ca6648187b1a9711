/**
 * What do viewers lose when their connections are cut? One scenario with two cuts, in one run, against Logloom, the plain broadcast on `ws`,
 * Socket.IO with and without its connection state recovery, plain server-sent events, and, where there is a Go compiler, the centrifuge library
 * with and without a history. Each viewer is back within 0.1 s, unless the server keeps it waiting.
 * Options: --viewers 200, --rate 100 (events a second).
 */
import { readScenario, runScenario, type RunOptions } from '@logloom/loadtest';
import { Pipeline } from '../tests/pipeline/pipeline.ts';
import { printConditions } from './conditions.ts';
import { option } from './live/option.ts';
import { hasGo, Rival, type RivalName } from './live/rivals/rival.ts';

const viewers = option('viewers', 200);
const rate = option('rate', 100);
const scenario = readScenario(
  `
viewers: { stages: [{ to: ${viewers}, for: 2s }, { for: 16s }], mix: [{ watch: all }] }
events: { stages: [{ to: 0, for: 3s }, { to: ${rate}, for: 1s }, { for: 13s }] }
faults: [{ kind: cut, at: 7s, share: 1 }, { kind: cut, at: 12s, share: 1 }]
`,
  'loss',
);

async function measure(
  name: string,
  options: Omit<RunOptions, 'token' | 'ingestKey' | 'quietMs'>,
): Promise<void> {
  const { delivery, connections, generator } = await runScenario(
    scenario,
    { token: undefined, ingestKey: undefined, quietMs: 3_000, ...options },
    new AbortController().signal,
  );
  const { expected, received, lost, duplicated, viewers: counted } = delivery;
  const cells = [
    expected,
    received,
    lost.count,
    `${((100 * lost.count) / expected).toFixed(2)} %`,
    duplicated.count,
    `${counted.exact}/${counted.checked}`,
    connections.resumed,
  ];
  console.log(`${name.padEnd(24)} ${cells.map((cell) => String(cell).padStart(11)).join(' ')}`);
  for (const limit of generator.limits) console.log(`  the generator was the limit: ${limit}`);
}

printConditions(
  `${viewers} viewers of everything, ${rate} events/s, all of them cut twice; the load test's own processes beside the server`,
);
const columns = ['expected', 'received', 'lost', 'of expected', 'twice', 'exact', 'resumed'];
console.log(`${''.padEnd(24)} ${columns.map((column) => column.padStart(11)).join(' ')}`);
{
  await using pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '1000', LOG_LEVEL: 'error' });
  await pipeline.start();
  await measure('logloom', { url: pipeline.viewersUrl, ingestUrl: pipeline.ingestUrl });
}
const rivals: RivalName[] = [
  'ws',
  'socket.io',
  'socket.io with recovery',
  'sse',
  ...(hasGo() ? (['centrifuge', 'centrifuge with history'] as const) : []),
];
for (const name of rivals) {
  await using rival = await Rival.start(name);
  await measure(name, { kind: rival.kind, url: rival.url, ingestUrl: rival.publishUrl });
}
if (!hasGo()) console.log('without centrifuge: there is no Go compiler');
