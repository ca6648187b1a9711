/** For elasticsearch/faults.int.test.ts: rebuilds a store and dies by SIGKILL at the stage that it is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ElasticsearchSearchStore } from '../elasticsearch/elasticsearch-search-store.ts';
import { testEvent } from './elasticsearch-test-store.ts';

const [url, events, correlations, times, stage] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  'indexed' | 'sealed' | 'committing' | 'committed',
];

const store = new ElasticsearchSearchStore(url, { names: { events, correlations } });
const rebuild = await store.rebuild();
const timestamps = JSON.parse(times) as number[];
await rebuild.index(timestamps.map((at, i) => testEvent(i, at, { message: `before it was ${stage}` })));
if (stage === 'indexed') die();
await rebuild.seal();
if (stage === 'sealed') die();
const committing = rebuild.commit();
// Somewhere between its requests, or when the last is at the server and its answer is not here.
if (stage === 'committing') await sleep(Math.random() * 100).then(die);
await committing;
die();

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
