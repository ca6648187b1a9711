import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashFile } from './hash-file.ts';
import { manifestFile, readManifest } from './manifest.ts';
import { Pace } from './pace.ts';

/**
 * The files of a backup that are not what they were, and in what; none for a folder that is no backup. Throws BackupError `backup-too-new`,
 * and `backup-incomplete` where the manifest cannot be read.
 */
export async function checkBackup(
  folder: string,
  version: string,
  signal: AbortSignal,
): Promise<{ file: string; faults: string[] }[]> {
  if (!existsSync(join(folder, manifestFile))) return [];
  const found: { file: string; faults: string[] }[] = [];
  for (const { path, bytes, sha256 } of readManifest(folder, version).files) {
    const from = join(folder, path);
    if (!existsSync(from)) found.push({ file: path, faults: ['it is missing'] });
    else {
      const now = await hashFile(from, { pace: new Pace(Infinity), signal });
      if (now.bytes !== bytes)
        found.push({ file: path, faults: [`it has ${now.bytes} bytes instead of ${bytes}`] });
      else if (now.sha256 !== sha256) found.push({ file: path, faults: ['its SHA-256 is another one'] });
    }
  }
  return found;
}
