import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveContract } from './archive.contract.ts';
import { openSqliteArchive } from './sqlite.ts';

archiveContract('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  let archive = openSqliteArchive(folder);
  return {
    archive,
    reopen: async () => {
      await archive.close();
      return (archive = openSqliteArchive(folder));
    },
    dispose: async () => {
      await archive.close();
      rmSync(folder, { recursive: true });
    },
  };
});
