/** For tests: a program that logs with pino. argv: the ingest URL, how many lines, `worker` or `stream`. */
import { runWithContext } from '@logloom/context';
import pino from 'pino';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import logloom, { mixin } from '../index.js';

const [url, count, how] = process.argv.slice(2) as [string, string, 'worker' | 'stream'];
const options = { url, service: `pino-${how}`, lingerMs: 5 };
const destination =
  how === 'worker'
    ? pino.transport<object>({ target: '@logloom/pino', options })
    : logloom({ ...options, onProblem: () => {} });
const logger = pino({ mixin, level: 'debug' }, destination);
for (let n = 0; n < Number(count); n++) {
  if (n === Number(count) / 2) process.stdout.write('half\n');
  logger[n % 2 === 0 ? 'warn' : 'debug']({ n }, 'line %d', n);
  if (n % 5 === 0) await sleep(2);
}
process.stdin.resume();
await once(process.stdin, 'end');
runWithContext({ correlationId: `request-of-pino-${how}` }, () =>
  logger.error(new Error('it broke'), 'last'),
);
// Nothing asynchronous runs any more; also the last line has to arrive.
process.exit(0);
