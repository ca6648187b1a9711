import {
  globSync,
  readdirSync,
  readSync,
  openSync,
  closeSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError } from '../commands/command-errors.ts';
import { utf16Of } from './decode-utf16.ts';

const logNames =
  /(?:^|[./_-])(?:log|logs|ndjson|jsonl|json|txt|out|err|error|access|syslog|messages|journal-export)(?:$|[._-])/i;
const packed = /\.(?:gz|zst)$/i;
const others =
  /\.(?:journal~?|db|sqlite|wal|pos|lock|pid|sock|tar|zip|xz|bz2|7z|png|html|yaml|yml|js|ts|css|md|conf|cfg)$/i;

/**
 * The files of what the user names: files as they are, the logs in a folder and those below it, and what a pattern with `*`, `?`, `**` or `{a,b}`
 * matches; each once, though links lead to it too. Throws CommandError for a name without any file.
 */
export function expandPaths(names: readonly string[], note: (line: string) => void): string[] {
  const files: string[] = [];
  const seen = new Set<string>();
  const add = (path: string): void => {
    const real = realpathOf(path);
    if (seen.has(real)) return;
    seen.add(real);
    files.push(path);
  };
  for (const name of names) {
    const stats = statOf(name);
    if (stats?.isDirectory() === true) {
      const found = logsIn(resolve(name), note);
      if (found.length === 0)
        throw new CommandError('command-failed', `${name}: there is no log file in this folder`);
      found.forEach(add);
    } else if (stats !== undefined || !/[*?[{]/.test(name)) add(resolve(name));
    else {
      const found = globSync(name)
        .map((path) => resolve(path))
        .filter((path) => statOf(path)?.isFile() === true)
        .sort();
      if (found.length === 0) throw new CommandError('command-failed', `${name}: no file matches`);
      found.forEach(add);
    }
  }
  return files;
}

function logsIn(folder: string, note: (line: string) => void): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.name.startsWith('.') || others.test(entry.name)) continue;
    const isFile = entry.isFile() || (entry.isSymbolicLink() && statOf(path)?.isFile() === true);
    if (!isFile || !isLog(path, entry.name, note)) continue;
    files.push(path);
  }
  return files.sort();
}

/** Whether a file of a folder is a log by its name, and no binary file. */
function isLog(path: string, name: string, note: (line: string) => void): boolean {
  const plain = name.replace(packed, '');
  const isNamed = logNames.test(plain) || !plain.includes('.') || /\.\d{1,8}$/.test(plain);
  if (!isNamed) return false;
  if (packed.test(name)) return true;
  try {
    const head = headOf(path);
    const isText = utf16Of(head) !== undefined || !head.includes(0) || /^\0+$/.test(head.toString('latin1'));
    if (!isText) note(`${path}: is no text, and is left out`);
    return isText && head.length > 0;
  } catch (error) {
    note(`${path}: ${(error as Error).message}; it is left out`);
    return false;
  }
}

function headOf(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(512);
    return head.subarray(0, readSync(file, head, 0, head.length, 0));
  } finally {
    closeSync(file);
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
