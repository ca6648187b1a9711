import { readFileSync } from 'node:fs';

/** A process, distinguished from a later one with the same number by the moment it started. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/** Undefined when there is no such process, or only what its parent has not collected yet. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const fields = fieldsOf(pid);
  return fields === undefined || fields[0] === 'Z' ? undefined : { pid, startTime: fields[19]! };
}

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return identityOf(pid)?.startTime === startTime;
}

/** Whether it is stopped by a signal. */
export function isStopped(pid: number): boolean {
  return fieldsOf(pid)?.[0] === 'T';
}

export function parentOf(pid: number): number | undefined {
  const parent = fieldsOf(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** The fields of proc(5) after the command in parentheses, which may hold spaces: the state is field 3, the parent 4, the start time 22. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}
