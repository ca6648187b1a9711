import { Option, type Command } from 'commander';
import type { SendResult } from '../send/send-batches.ts';
import type { CommandContext } from './command-context.ts';
import { positive } from './number-arguments.ts';

interface DemoFlags {
  rate: number;
  seconds: number;
  seed: number;
  ingestUrl?: string;
  key?: string;
  json: boolean;
}

/** Adds `logloom demo`. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  const { signal, note, ingestUrl, ingestKey, ingest, key, json, report } = context;
  program
    .command('demo')
    .description('send the traffic of a simulated shop: several services, slow and failing requests, retries')
    .option('--rate <events>', 'events per second', positive, 50)
    .option('--seconds <n>', 'duration in seconds; without it, until Ctrl-C', positive, Infinity)
    .addOption(
      new Option('--seed <n>', 'equal seeds make equal requests')
        .argParser(positive)
        .default(Date.now() % 1_000_000, 'another at each start'),
    )
    .addOption(ingest)
    .addOption(key)
    .addOption(json)
    .action(async (options: DemoFlags) => {
      const url = ingestUrl(options.ingestUrl);
      const key = ingestKey(options.key);
      if (!options.json) note(`sending about ${options.rate} events a second to ${url}; Ctrl-C stops`);
      const { demoBatches } = await import('../demo/demo.ts');
      const { sendBatches } = await import('../send/send-batches.ts');
      const onProgress = progress(options.json ? () => {} : note);
      report(await sendBatches(demoBatches(options, signal), { url, key, onProgress }), options.json);
    });
}

/** Prints the progress, at most once a second. */
function progress(note: (line: string) => void): (sent: SendResult) => void {
  let last = Date.now();
  return ({ accepted, rejected }) => {
    if (Date.now() - last < 1000) return;
    last = Date.now();
    note(`${accepted} accepted${rejected > 0 ? `, ${rejected} rejected` : ''}`);
  };
}
