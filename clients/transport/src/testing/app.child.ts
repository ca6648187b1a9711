/** For tests: a program that logs. argv: options as JSON, how many lines, how it ends. */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Transport, type TransportOptions } from '../index.js';

const [options, count, end] = process.argv.slice(2) as [string, string, string];
const transport = new Transport({ ...(JSON.parse(options) as TransportOptions), onProblem: () => {} });
for (let n = 0; n < Number(count); n++) {
  transport.write({ message: `line ${n}`, level: 'info', n });
  // What stands on standard output was logged before.
  if (end === 'killed') writeSync(1, `${n}\n`);
  if (n % 50 === 0) await sleep(1);
}
if (end === 'exit') process.exit(0);
if (end === 'throw') throw new Error('as an application does');
