import { temporaryFolder } from '@logloom/testing';
import { archiveContract } from '../contract/archive.contract.ts';
import { openEmbeddedArchive } from './embedded-archive.ts';

archiveContract('embedded', async () => {
  const folder = temporaryFolder('archive');
  let archive = openEmbeddedArchive(folder.path);
  return {
    archive,
    reopen: async () => {
      await archive.close();
      return (archive = openEmbeddedArchive(folder.path));
    },
    dispose: async () => {
      await archive.close();
      folder[Symbol.dispose]();
    },
  };
});
