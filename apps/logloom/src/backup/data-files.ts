import { topics } from '@logloom/schemas';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files of a data folder, by paths relative to it. */
export interface DataFiles {
  /** In the order in which their snapshots have to be taken. */
  databases: string[];
  /** Small files. They are read before any snapshot is taken. */
  others: string[];
}

const notKept = /^(?:lock\.db.*|restore\.incomplete|backup\.json.*)$/;
const maxOther = 2 ** 20;
/** The catalog of the search store and the archive: it names their other files. */
export const catalogPath = 'stores/catalog.db';

/** Each topic after those that are made of it. */
const topicOrder = [
  topics.alerts,
  topics.windows,
  topics.correlations,
  topics.deadLetter,
  topics.events,
  topics.raw,
].map((name) => `log/${name}.db`);

/**
 * What a backup consists of. What is derived comes before what it is derived from: the groups' commits, the jobs, the search store and the
 * archive, and then the topics. So nothing in the backup is about a record that the log in it does not have; what is ahead in the log is read again
 * at the start, as after a crash. The offsets that were acknowledged (`.ends`) come first of all.
 */
export function dataFiles(dataFolder: string): DataFiles {
  const within = (folder: string): string[] =>
    existsSync(join(dataFolder, folder))
      ? readdirSync(join(dataFolder, folder), { recursive: true, encoding: 'utf8' })
          .map((name) => join(folder, name))
          .filter((path) => isFile(join(dataFolder, path)))
          .sort()
      : [];
  const isDatabase = (path: string): boolean => path.endsWith('.db');
  const log = within('log');
  const stores = within('stores');
  const databases = [
    ...['log/groups.db'].filter((path) => log.includes(path)),
    ...within('jobs').filter(isDatabase),
    ...stores.filter(isDatabase),
    ...log.filter((path) => isDatabase(path) && path !== 'log/groups.db' && !topicOrder.includes(path)),
    ...topicOrder.filter((path) => log.includes(path)),
  ];
  const others = [
    ...log.filter((path) => path.endsWith('.ends')),
    // Of stores of earlier releases that are not taken over yet.
    ...stores.filter((path) => path === 'stores/search.current'),
    // Such as the key that seals cursors. Nothing large of ours is there.
    ...readdirSync(dataFolder).filter(
      (name) => !notKept.test(name) && isFile(join(dataFolder, name), maxOther),
    ),
  ];
  return { databases, others };
}

function isFile(path: string, maxBytes = Infinity): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size <= maxBytes;
}
