import type { FaultOptions } from '@logloom/loadtest';
import { InvalidArgumentError, Option } from 'commander';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What `loadtest run` may be told about the faults of a scenario. */
export interface FaultFlags {
  pid: Record<string, number>;
  stack: string;
  command: Record<string, string>;
  allowCommands: boolean;
  prometheus?: string;
  alertmanager?: string;
}

export const faultOptions: readonly Option[] = [
  new Option('--pid <name=pid>', 'a process that faults of the scenario name; may be repeated')
    .argParser((text, before: Record<string, number>) => {
      const [name, value] = pairOf(text);
      if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError(`${value} is no process number`);
      return { ...before, [name]: Number(value) };
    })
    .default({}, 'none'),
  new Option(
    '--stack <folder>',
    'the run folder of a local stack (npm run stack), whose servers faults can name',
  ).default('.stack'),
  new Option(
    '--command <name=command>',
    'a command of a shell that faults of the scenario name; may be repeated',
  )
    .argParser((text, before: Record<string, string>) => {
      const [name, value] = pairOf(text);
      return { ...before, [name]: value };
    })
    .default({}, 'none'),
  new Option('--allow-commands', 'run the commands that are written in the scenario').default(false),
  new Option('--prometheus <url>', 'a Prometheus that watches the target: which alerts fired at each fault'),
  new Option('--alertmanager <url>', 'an Alertmanager that gets the alerts of the target, for the same'),
];

export function faultOptionsOf(flags: FaultFlags, journalFolder: string): FaultOptions {
  return {
    pids: flags.pid,
    stackFolder: flags.stack,
    commands: flags.command,
    allowCommands: flags.allowCommands,
    journalFolder,
    prometheusUrl: flags.prometheus,
    alertmanagerUrl: flags.alertmanager,
  };
}

/** Where runs keep what they have to undo: beside other state of this user. */
export function faultJournalFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'logloom', 'loadtest');
}

function pairOf(text: string): [name: string, value: string] {
  const [, name, value] = /^([a-z0-9][a-z0-9-]{0,62})=(.+)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError(`${text} is not a name, =, and a value`);
  return [name, value!];
}
