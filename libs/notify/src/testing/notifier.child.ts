// A notifier in a process of its own, to be killed: reads alerts as lines of JSON, and writes a line for each that is durable.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AlertState } from '../alert-state.ts';
import { openNotifierRig } from './notifier-rig.ts';

const folder = process.argv[2]!;
await using rig = await openNotifierRig({
  folder,
  text: readFileSync(join(folder, 'receivers.yaml'), 'utf8'),
});
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  await rig.notifier.notify([JSON.parse(line) as AlertState]);
  process.stdout.write('taken\n');
}
