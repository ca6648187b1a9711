import { identityOf, isAlive, isStopped } from '@logloom/runtime/process-identity';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { LoadtestError } from '../../errors.ts';
import type { KeptFault } from '../../scenario/fault-plan.ts';
import { findProcess, withChildren, type ProcessNames } from './find-process.ts';
import { emptyDisk, fillDisk, checkDisk } from './full-disk.ts';
import type { JournalEntry } from './journal.ts';
import { addNetem, removeNetem } from './netem.ts';
import { commandText, end, forget, launchOf, startAgain } from './restart-process.ts';
import { ShellCommand } from './shell-command.ts';

/** A fault that is being made. */
export interface KeptHandle {
  /** What a journal has to say before start(); undefined: nothing has to be undone. */
  entry: JournalEntry | undefined;
  /** Makes it. */
  start: () => Promise<void>;
  /** Undoes it, also half-made; returns more about it for the report. Throws when it could not. */
  undo: () => Promise<string>;
  /** Settles when the fault is over by itself; undefined: it lasts until undo(). */
  over: Promise<void> | undefined;
}

export interface KeptSurroundings {
  names: ProcessNames;
  /** Names a process that runs under another number from now on. */
  rename: (name: string, pid: number) => void;
  commands: Readonly<Record<string, string>>;
  run: string;
}

/** Prepares a fault. Throws LoadtestError where it cannot be made. */
export function prepareKept(fault: KeptFault, around: KeptSurroundings): KeptHandle {
  switch (fault.kind) {
    case 'pause':
      return pause(fault.process, around);
    case 'kill':
      return kill(fault, around);
    case 'disk-full':
      return fullDisk(fault.folder, around.run);
    case 'netem':
      return {
        entry: { kind: 'netem', device: fault.device },
        over: undefined,
        start: async () => addNetem(fault.device, fault),
        undo: async () => (removeNetem(fault.device), ''),
      };
    case 'command':
      return command(fault, around);
  }
}

function pause(name: string, { names }: KeptSurroundings): KeptHandle {
  const processes = withChildren(findProcess(name, names).pid);
  const alive = () => processes.filter(isAlive);
  return {
    entry: { kind: 'pause', name, processes },
    over: undefined,
    start: async () => {
      for (const { pid } of alive()) process.kill(pid, 'SIGSTOP');
    },
    undo: async () => {
      for (const { pid } of alive().toReversed()) process.kill(pid, 'SIGCONT');
      for (let i = 0; i < 100 && alive().some(({ pid }) => isStopped(pid)); i++) await sleep(10);
      if (alive().some(({ pid }) => isStopped(pid))) throw new Error(`${name} is still stopped`);
      if (alive().length === 0) throw new Error(`${name} has ended while it was stopped`);
      return processes.length > 1 ? `with ${processes.length - 1} of its children` : '';
    },
  };
}

function kill(
  { process: name, signal, restart }: Extract<KeptFault, { kind: 'kill' }>,
  { names, rename }: KeptSurroundings,
): KeptHandle {
  const found = findProcess(name, names);
  const launch = launchOf(found.pid);
  const ownStart = restart && found.stack === undefined;
  return {
    entry: restart
      ? { kind: 'kill', name, command: commandText(launch), stack: found.stack ?? null }
      : undefined,
    over: undefined,
    start: () => end(found, signal),
    undo: async () => {
      try {
        // Half-made: it may still be draining.
        await end(found, signal);
        if (!restart) return 'something else was to start it again';
        if (!ownStart) return await askStack(name, found.stack!.pid, names);
        const again = await startAgain(launch);
        rename(name, again.pid);
        return `it runs as process ${again.pid} now`;
      } finally {
        forget(launch);
      }
    },
  };
}

/** A stack starts what is down when it gets this signal; it may not have noticed yet that the server is. */
async function askStack(name: string, supervisor: number, names: ProcessNames): Promise<string> {
  for (let i = 0; i < 600; i++) {
    if (identityOf(supervisor) === undefined) break;
    if (i % 20 === 0) process.kill(supervisor, 'SIGUSR2');
    await sleep(100);
    try {
      return `the local stack runs it as process ${findProcess(name, names).pid} now`;
    } catch {
      // Not yet.
    }
  }
  throw new Error(`the local stack did not start ${name} again`);
}

function fullDisk(folder: string, run: string): KeptHandle {
  const file = join(folder, `.loadtest-${run}`);
  const stop = new AbortController();
  let filling = Promise.resolve(0);
  return {
    entry: { kind: 'disk-full', file },
    over: undefined,
    start: async () => {
      await checkDisk(folder);
      filling = fillDisk(file, stop.signal);
      await filling;
    },
    undo: async () => {
      stop.abort();
      const bytes = await filling.catch(() => 0);
      await emptyDisk(file);
      return `${bytes} bytes were free, and are again`;
    },
  };
}

function command(
  { run, command: name, undo, seconds }: Extract<KeptFault, { kind: 'command' }>,
  { commands }: KeptSurroundings,
): KeptHandle {
  const text = run ?? commands[name!];
  if (text === undefined) throw new LoadtestError('fault-not-allowed', `no command ${name} was given`);
  const shell = new ShellCommand(text);
  return {
    entry: undo === undefined ? undefined : { kind: 'command', undo },
    start: async () => shell.start(),
    // Without a duration it lasts as long as the command.
    over: seconds > 0 ? undefined : shell.ended.then(() => {}),
    undo: async () => {
      const how = await shell.stop();
      if (undo === undefined) return how;
      const undone = new ShellCommand(undo);
      undone.start();
      const end = await undone.ended;
      if (end !== 'exit code 0') throw new Error(`${undo}: ${end}`);
      return `${how}; undone by ${undo}`;
    },
  };
}
