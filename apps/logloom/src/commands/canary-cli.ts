import type { Command } from 'commander';
import { allSettings } from '../settings.ts';
import type { CommandContext } from './command-context.ts';

/** Adds `logloom canary`. */
export function addCanaryCommand(program: Command, { env }: CommandContext): void {
  program
    .command('canary')
    .description(
      'run the canary as a process of its own, beside services on Kafka; the one-process mode runs it with CANARY=on',
    )
    .action(async () => {
      const { runStandalone } = await import('@logloom/runtime/standalone');
      const { runCanary } = await import('../canary/run-canary.ts');
      await runStandalone({
        settings: { load: (given) => allSettings.load(given) },
        service: 'canary',
        healthPort: 9105,
        run: runCanary,
        env,
      });
    });
}
