import { open, rm, stat, statfs } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { LoadtestError } from '../../errors.ts';

/** Larger file systems are other people's too. */
const largestBytes = 2 ** 30;

/** Throws LoadtestError `fault-refused` for a folder whose file system others use, or that is large. */
export async function checkDisk(folder: string): Promise<void> {
  const refuse = (reason: string): never => {
    throw new LoadtestError(
      'fault-refused',
      `disk-full: ${folder} ${reason}; give it a small file system of its own: mount -t tmpfs -o size=256m tmpfs ${folder}`,
    );
  };
  const found = await stat(folder).catch((error: Error) => refuse(`cannot be filled (${error.message})`));
  if (!found.isDirectory()) refuse('is no folder');
  const { blocks, bsize } = await statfs(folder);
  const bytes = blocks * bsize;
  if (bytes > largestBytes)
    refuse(`is in a file system of ${Math.round(bytes / 2 ** 20)} MiB, more than 1 GiB`);
  for (const shared of ['/', tmpdir(), homedir(), process.cwd(), '/dev/shm', '/run']) {
    const other = await stat(shared).catch(() => undefined);
    if (other?.dev === found.dev) refuse(`is in the file system of ${shared}, which others use`);
  }
}

/** Writes a file until nothing more fits; returns its bytes. Stops when the signal aborts. */
export async function fillDisk(file: string, signal: AbortSignal): Promise<number> {
  let written = 0;
  const handle = await open(file, 'wx', 0o600);
  try {
    for (const size of [2 ** 20, 4_096]) {
      const zeros = Buffer.alloc(size);
      while (!signal.aborted && written < largestBytes) {
        const { bytesWritten } = await handle.write(zeros);
        written += bytesWritten;
        if (bytesWritten < size) break;
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
  } finally {
    await handle.close();
  }
  return written;
}

export async function emptyDisk(file: string): Promise<void> {
  await rm(file, { force: true });
}
