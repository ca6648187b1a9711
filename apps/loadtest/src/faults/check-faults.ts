import { homedir } from 'node:os';
import { join } from 'node:path';
import { LoadtestError } from '../errors.ts';
import { isKeptFault, isProxyFault, type FaultPlan } from '../scenario/fault-plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { findProcess, type ProcessNames } from './keeper/find-process.ts';
import { checkDisk } from './keeper/full-disk.ts';
import { checkNetem } from './keeper/netem.ts';

/** What the command line says about faults. */
export interface FaultOptions {
  /** Process numbers by the names that scenarios use. */
  pids: Readonly<Record<string, number>>;
  /** The run folder of a local stack. */
  stackFolder: string;
  /** Commands by the names that scenarios use. */
  commands: Readonly<Record<string, string>>;
  /** Commands that are written in the scenario may be run. */
  allowCommands: boolean;
  /** Where it is kept what has to be undone. */
  journalFolder: string;
  /** Base URLs of a Prometheus and of an Alertmanager that watch the target. */
  prometheusUrl: string | undefined;
  alertmanagerUrl: string | undefined;
}

export function defaultFaultOptions(): FaultOptions {
  return {
    pids: {},
    stackFolder: '.stack',
    commands: {},
    allowCommands: false,
    journalFolder: join(homedir(), '.local/state/logloom/loadtest'),
    prometheusUrl: undefined,
    alertmanagerUrl: undefined,
  };
}

/** The addresses that viewers connect to, and those that the sender does. */
export interface FaultTarget {
  viewers: readonly string[];
  /** Without those that only a client of Kafka knows. */
  sender: readonly string[];
}

/** How processes are called: by the command line, by the stack, and what listens at the target's addresses of this machine. */
export function processNames(
  { pids, stackFolder }: FaultOptions,
  { viewers, sender }: FaultTarget,
): ProcessNames {
  const ports = [...namesOf('logloom', viewers), ...namesOf('ingest', sender)].flatMap(
    ([name, address]): [string, number][] => {
      const { hostname, port, protocol } = new URL(address);
      const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
      return isHere ? [[name, Number(port || (/^(https|wss):/.test(protocol) ? 443 : 80))]] : [];
    },
  );
  return { pids, stackFolder, ports: Object.fromEntries(ports) };
}

/** `logloom`, `logloom-2`, …, as the local stack counts its servers. */
function namesOf(name: string, urls: readonly string[]): [name: string, url: string][] {
  return urls.map((url, i) => [i === 0 ? name : `${name}-${i + 1}`, url]);
}

/** Throws LoadtestError with all reasons, one a line, why faults of the scenario may not or cannot be made. */
export async function checkFaults(
  { faults }: Scenario,
  options: FaultOptions,
  target: FaultTarget,
): Promise<void> {
  const problems: LoadtestError[] = [];
  for (const [i, fault] of faults.entries()) {
    try {
      await checkFault(fault, options, target);
    } catch (error) {
      if (!(error instanceof LoadtestError)) throw error;
      problems.push(new LoadtestError(error.code, `faults.${i}: ${error.message}`));
    }
  }
  if (problems.length > 0)
    throw new LoadtestError(problems[0]!.code, problems.map(({ message }) => message).join('\n'));
}

async function checkFault(fault: FaultPlan, options: FaultOptions, target: FaultTarget): Promise<void> {
  if (isProxyFault(fault)) {
    const urls = target['on' in fault ? fault.on : 'viewers'];
    const secured = urls.find((url) => /^(https|wss):/.test(url));
    if (secured !== undefined)
      throw new LoadtestError(
        'fault-unavailable',
        `${fault.kind} needs a proxy in front of ${secured}, whose certificate is not the proxy's: use an address without TLS`,
      );
    if (urls.length === 0)
      throw new LoadtestError(
        'fault-unavailable',
        `${fault.kind} needs a proxy in front of the receiver, and Kafka's brokers themselves say at which addresses they are`,
      );
    return;
  }
  if (!isKeptFault(fault)) return;
  switch (fault.kind) {
    case 'pause':
    case 'kill':
      return void findProcess(fault.process, processNames(options, target));
    case 'disk-full':
      return checkDisk(fault.folder);
    case 'netem':
      return checkNetem(fault.device);
    case 'command':
      return checkCommand(fault, options);
  }
}

function checkCommand(
  { run, command, undo }: Extract<FaultPlan, { kind: 'command' }>,
  { commands, allowCommands }: FaultOptions,
): void {
  if (command !== undefined && commands[command] === undefined)
    throw new LoadtestError('fault-not-allowed', `no command ${command} was given: --command '${command}=…'`);
  const written = [run, undo].filter((text) => text !== undefined);
  if (written.length > 0 && !allowCommands)
    throw new LoadtestError(
      'fault-not-allowed',
      `the scenario runs ${written.map((text) => JSON.stringify(text)).join(' and ')}: allow it by --allow-commands`,
    );
}
