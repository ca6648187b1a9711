import { readFileSync, readdirSync, statSync } from 'node:fs';
import type { ProcessResources } from '../result.ts';

/** What these processes have at the moment; those that are gone are left out. Undefined: none can be looked at, as where there is no /proc. */
export function processResources(pids: readonly number[]): ProcessResources | undefined {
  let processes = 0;
  let memoryBytes = 0;
  let descriptors = 0;
  for (const pid of pids) {
    try {
      memoryBytes += residentBytes(pid);
      descriptors += openDescriptors(pid);
      processes++;
    } catch {
      // It has ended, or is another user's.
    }
  }
  return processes === 0 ? undefined : { processes, memoryBytes, descriptors };
}

/** Without the pages of files, which processes of one program share. Source: proc_pid_status(5). */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return ['RssAnon', 'RssShmem'].reduce(
    (sum, name) => sum + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1_024,
    0,
  );
}

/** Since Linux 6.2 the folder's size is the number of its entries; reading thousands of them takes the process's time. */
function openDescriptors(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return statSync(folder).size || readdirSync(folder).length;
}
