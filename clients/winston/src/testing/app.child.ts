/** For tests: a program that logs with winston. argv: the ingest URL, how many lines. */
import { runWithContext } from '@logloom/context';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import winston from 'winston';
import { LogloomTransport } from '../index.js';

const [url, count] = process.argv.slice(2) as [string, string];
const transport = new LogloomTransport({ url, service: 'winston-app', lingerMs: 5, onProblem: () => {} });
const logger = winston.createLogger({ level: 'debug', transports: [transport] });
for (let n = 0; n < Number(count); n++) {
  if (n === Number(count) / 2) process.stdout.write('half\n');
  logger.log(n % 2 === 0 ? 'warn' : 'debug', `line ${n}`, { n });
  if (n % 5 === 0) await sleep(2);
}
process.stdin.resume();
await once(process.stdin, 'end');
runWithContext({ correlationId: 'request-of-winston-app' }, () =>
  logger.error('last', { err: new Error('it broke') }),
);
// Nothing asynchronous runs any more; also the last line has to arrive.
process.exit(0);
