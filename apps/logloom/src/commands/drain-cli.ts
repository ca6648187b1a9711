import { InvalidArgumentError, type Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { postAt } from './endpoint.ts';
import type { CommandContext } from './command-context.ts';

interface DrainFlags {
  url?: string;
  token?: string;
  json: boolean;
  over?: number;
  wait: boolean;
}

const askEveryMs = 1_000;

/** Adds `logloom drain`. */
export function addDrainCommand(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, signal, write } = context;
  program
    .command('drain')
    .description(
      'send the viewers of a node away, which takes no new ones from then on; waits until none is left',
    )
    .option(
      '--over <seconds>',
      'send them away evenly over this long; default: LIVE_DRAIN_MS of the node',
      seconds,
    )
    .option('--no-wait', 'say how many are left, and do not wait')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (flags: DrainFlags) => {
      const over = flags.over === undefined ? '' : `?over=${Math.round(flags.over * 1000)}`;
      let last: number | undefined;
      while (!signal.aborted) {
        const { viewers: left } = (await postAt(endpoint(flags), `/admin/drain${over}`)) as {
          viewers: number;
        };
        if (left !== last)
          write(
            flags.json
              ? JSON.stringify({ viewers: left })
              : left === 1
                ? '1 viewer left'
                : `${left} viewers left`,
          );
        if (left === 0 || !flags.wait) return;
        last = left;
        await sleep(askEveryMs, undefined, { signal }).catch(() => {});
      }
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 3600))
    throw new InvalidArgumentError('a number of seconds from 0 to 3600');
  return value;
}
