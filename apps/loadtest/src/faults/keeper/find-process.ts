import { identityOf, isAlive, parentOf, type ProcessIdentity } from '@logloom/runtime/process-identity';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { LoadtestError } from '../../errors.ts';

/** Where the names of processes in a scenario come from. */
export interface ProcessNames {
  /** Given by `--pid`. */
  pids: Readonly<Record<string, number>>;
  /** The run folder of a local stack: its servers have names. */
  stackFolder: string;
  /** What listens on a port of this machine has this name. */
  ports: Readonly<Record<string, number>>;
}

export interface FoundProcess extends ProcessIdentity {
  /** The stack's own process, which starts its servers again; undefined: the process is no server of a stack. */
  stack: ProcessIdentity | undefined;
}

interface StackFile {
  supervisor: ProcessIdentity;
  servers: (ProcessIdentity & { name: string })[];
}

/** The process of that name. Throws LoadtestError `fault-unavailable` where there is none, or several. */
export function findProcess(name: string, { pids, stackFolder, ports }: ProcessNames): FoundProcess {
  const pid = pids[name];
  if (pid !== undefined) return guarded(name, foundOf(name, pid));
  const stack = stackIn(stackFolder);
  const server = stack?.servers.find((each) => each.name === name && isAlive(each));
  if (server !== undefined) return guarded(name, { ...server, stack: stack!.supervisor });
  const port = ports[name];
  if (port !== undefined) return guarded(name, foundOf(name, listenerOn(name, port)));
  const known = [
    ...Object.keys(pids),
    ...(stack?.servers.map((each) => each.name) ?? []),
    ...Object.keys(ports),
  ];
  throw new LoadtestError(
    'fault-unavailable',
    `no process is called ${name}: ${known.length === 0 ? 'none is known' : `known are ${[...new Set(known)].join(', ')}`}; name it by --pid ${name}=PID`,
  );
}

/** The process and all that it started, itself first. */
export function withChildren(pid: number): ProcessIdentity[] {
  const children = new Map<number, number[]>();
  for (const each of processIds()) {
    const parent = parentOf(each);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), each]);
  }
  const found = [pid];
  for (const each of found) found.push(...(children.get(each) ?? []));
  return found.map(identityOf).filter((identity) => identity !== undefined);
}

/** What runs the load test, and what runs that, must go on. */
function guarded(name: string, found: FoundProcess): FoundProcess {
  for (let pid: number | undefined = process.pid; pid !== undefined && pid > 0; pid = parentOf(pid))
    if (pid === found.pid)
      throw new LoadtestError(
        'fault-refused',
        `${name} is the process ${pid}, which runs the load test itself`,
      );
  if (found.pid === 1) throw new LoadtestError('fault-refused', `${name} is the process 1 of this machine`);
  return found;
}

function foundOf(name: string, pid: number): FoundProcess {
  const identity = identityOf(pid);
  if (identity === undefined)
    throw new LoadtestError('fault-unavailable', `${name}: there is no process ${pid}`);
  return { ...identity, stack: undefined };
}

function stackIn(folder: string): StackFile | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'stack.json'), 'utf8')) as StackFile;
  } catch {
    return undefined;
  }
}

/** The process that listens on a TCP port; of a parent and its children, the parent. */
function listenerOn(name: string, port: number): number {
  const inodes = new Set([
    ...listeningInodes('/proc/net/tcp', port),
    ...listeningInodes('/proc/net/tcp6', port),
  ]);
  const pids = processIds().filter((pid) => holdsAny(pid, inodes));
  const top = pids.filter((pid) => !pids.includes(parentOf(pid) ?? 0));
  const parents = new Set(top.map((pid) => parentOf(pid)));
  if (top.length === 1) return top[0]!;
  // Workers that share a port are ended and stopped by their parent.
  if (top.length > 1 && parents.size === 1 && !parents.has(1)) return [...parents][0]!;
  throw new LoadtestError(
    'fault-unavailable',
    top.length === 0
      ? `no process of this user listens on port ${port} of this machine: name it by --pid ${name}=PID`
      : `several processes listen on port ${port} (${top.join(', ')}): name one by --pid ${name}=PID`,
  );
}

/** Source: proc(5), net/tcp; the state 0A is LISTEN. */
function listeningInodes(file: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return (readable(() => readFileSync(file, 'utf8')) ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
    .map((fields) => `socket:[${fields[9]}]`);
}

function holdsAny(pid: number, inodes: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  const files = readable(() => readdirSync(folder)) ?? [];
  return files.some((file) => inodes.has(readable(() => readlinkSync(`${folder}/${file}`)) ?? ''));
}

function processIds(): number[] {
  return (readable(() => readdirSync('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Undefined for what is gone, or another user's. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
