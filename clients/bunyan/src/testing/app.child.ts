/** For tests: a program that logs with bunyan. argv: the ingest URL, how many lines. */
import { runWithContext } from '@logloom/context';
import bunyan from 'bunyan';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { logloom } from '../index.js';

const [url, count] = process.argv.slice(2) as [string, string];
const stream = logloom({ url, level: 'debug', lingerMs: 5, onProblem: () => {} });
const logger = bunyan.createLogger({
  name: 'bunyan-app',
  streams: [stream],
  serializers: bunyan.stdSerializers,
});
for (let n = 0; n < Number(count); n++) {
  if (n === Number(count) / 2) process.stdout.write('half\n');
  logger[n % 2 === 0 ? 'warn' : 'debug']({ n }, 'line %d', n);
  if (n % 5 === 0) await sleep(2);
}
process.stdin.resume();
await once(process.stdin, 'end');
runWithContext({ correlationId: 'request-of-bunyan-app' }, () =>
  logger.error({ err: new Error('it broke') }, 'last'),
);
// Nothing asynchronous runs any more; also the last line has to arrive.
process.exit(0);
