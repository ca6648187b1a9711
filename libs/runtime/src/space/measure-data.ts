import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What the files of a data folder take, in bytes. */
export interface DataSize {
  /** By topic of the embedded log. */
  topics: Record<string, number>;
  /** By what the files in `stores` begin with. */
  stores: Record<string, number>;
  /** By folder: what is in no topic and no store, such as positions of consumers and jobs. */
  others: Record<string, number>;
  all: number;
}

/** Measures the files of a data folder, those of load tests and the canary included. Files that vanish meanwhile count as nothing. */
export async function measureData(folder: string): Promise<DataSize> {
  const size: DataSize = { topics: {}, stores: {}, others: {}, all: 0 };
  for (const path of await filesIn(folder)) {
    const bytes = await bytesOf(join(folder, path));
    const [kind, name] = placeOf(path);
    size[kind][name] = (size[kind][name] ?? 0) + bytes;
    size.all += bytes;
  }
  return size;
}

function placeOf(path: string): [kind: 'topics' | 'stores' | 'others', name: string] {
  const [first = '', second = ''] = path.split('/');
  const topic =
    first === 'log' ? /^(?!groups\.)(.+)\.(?:db(?:-wal|-shm)?|ends)$/.exec(second)?.[1] : undefined;
  if (topic !== undefined) return ['topics', topic];
  if (first === 'stores') return ['stores', /^[a-zA-Z]+/.exec(second)?.[0] ?? 'other'];
  return ['others', second === '' ? 'folder' : first];
}

/** Relative to the folder. */
async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What the file takes of the disk, which is less than its length where it has holes. */
async function bytesOf(path: string): Promise<number> {
  try {
    const { size, blocks } = await stat(path);
    return Math.min(size, blocks * 512);
  } catch {
    return 0;
  }
}
