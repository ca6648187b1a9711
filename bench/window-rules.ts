/**
 * What does an event cost rules over many events, and what memory does a key take, with 100 rules and 100,000 keys in all? Counting and judging, without the log between
 * them. Rival, in the same run: the same rules as textbook sliding windows, each key with the times of its events. Each measurement is a process of its own.
 * Arguments: rules keys --rounds n.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { printConditions } from './conditions.ts';
import type { Result } from './window-rules/measure-rules.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '2' } },
});
const [rules = '100', keys = '100000'] = positionals;

async function measure(contender: string): Promise<Result & { keys: number }> {
  const script = join(import.meta.dirname, 'window-rules/measure-rules.ts');
  const flags = ['--expose-gc', '--max-old-space-size=4096'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, contender, rules, keys]);
  return JSON.parse(stdout) as Result & { keys: number };
}

printConditions(`${rules} rules, ${keys} keys, windows of 60 s judged every 2 s, 5,000 events/s of log time`);
for (let round = 0; round < Number(values.rounds); round++) {
  const alerts = new Set<number>();
  for (const contender of round % 2 === 0 ? ['ours', 'events by key'] : ['events by key', 'ours']) {
    const result = await measure(contender);
    alerts.add(result.alerts);
    console.log(
      `${contender}: ${result.cpuMicros.toFixed(2)} µs of CPU an event (${(1000 / result.cpuMicros).toFixed(0)}k events/s a core), ` +
        `${result.bytesPerKey.toFixed(0)} bytes a key of ${result.keys} (estimate ${result.estimatedBytesPerKey.toFixed(0)}), ${result.alerts} alerts`,
    );
  }
  if (alerts.size !== 1) throw new Error(`they disagree: ${[...alerts].join(', ')} alerts`);
}
