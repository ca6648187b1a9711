import { spawnSync } from 'node:child_process';
import { LoadtestError } from '../../errors.ts';
import type { NetworkConditions } from '../../scenario/fault-plan.ts';

/** Throws LoadtestError `fault-unavailable` where this machine or user can't, `fault-refused` where the device has rules of its own. */
export function checkNetem(device: string): void {
  const shown = tc('qdisc', 'show', 'dev', device);
  // A handle of 0: is the kernel's own default.
  if (shown.split('\n').some((line) => line.includes(' root ') && !/^qdisc \S+ 0: /.test(line)))
    throw new LoadtestError(
      'fault-refused',
      `netem: the device ${device} has a queueing discipline of its own, which would be lost: ${shown.trim()}`,
    );
}

export function addNetem(device: string, conditions: NetworkConditions): void {
  checkNetem(device);
  tc('qdisc', 'add', 'dev', device, 'root', 'netem', ...netemArguments(conditions));
}

/** Succeeds where there is none. */
export function removeNetem(device: string): void {
  if (tc('qdisc', 'show', 'dev', device).includes('qdisc netem')) tc('qdisc', 'del', 'dev', device, 'root');
}

/** Source: tc-netem(8). */
export function netemArguments({ latencyMs, jitterMs, loss, bytesPerSecond }: NetworkConditions): string[] {
  const delay = latencyMs !== undefined || jitterMs !== undefined;
  return [
    // Jitter is on both sides of the delay there, and only above it here.
    ...(delay ? ['delay', `${(latencyMs ?? 0) + (jitterMs ?? 0) / 2}ms`] : []),
    ...(jitterMs === undefined ? [] : [`${jitterMs / 2}ms`]),
    ...(loss === undefined ? [] : ['loss', `${loss * 100}%`]),
    ...(bytesPerSecond === undefined ? [] : ['rate', `${Math.round(bytesPerSecond * 8)}bit`]),
  ];
}

function tc(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('tc', args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  const reason = error === undefined ? stderr.trim() : error.message;
  throw new LoadtestError(
    'fault-unavailable',
    `netem needs tc of iproute2, root, and the kernel's sch_netem: tc ${args.join(' ')}: ${reason}`,
  );
}
