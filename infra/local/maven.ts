import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitForLock } from './lock.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { hasCommand, runCommand } from './run-command.ts';
import { versions } from './versions.ts';

export interface Artifact {
  groupId: string;
  artifactId: string;
  version: string;
}

const plugin = `org.apache.maven.plugins:maven-dependency-plugin:${versions.mavenDependencyPlugin}`;

/**
 * Copies the artifacts' jars, with all that they need at run time, into the folder, through the machine's own `mvn` and its settings.
 * Throws MissingPrerequisite when there is no mvn.
 */
export async function fetchWithDependencies(
  engine: string,
  artifacts: readonly Artifact[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pom = join(folder, 'pom.xml');
  await writeFile(pom, projectOf(artifacts));
  await runMaven(
    engine,
    ['-f', pom, `${plugin}:copy-dependencies`, '-DincludeScope=runtime'],
    folder,
    signal,
  );
  await rm(pom);
}

/** Copies one file into the folder: `packaging` is its extension, and its classifier after a colon. Throws as fetchWithDependencies. */
export async function fetchAlone(
  engine: string,
  { groupId, artifactId, version }: Artifact,
  packaging: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const artifact = `-Dartifact=${groupId}:${artifactId}:${version}:${packaging}`;
  await runMaven(engine, [`${plugin}:copy`, artifact], folder, signal);
}

async function runMaven(engine: string, args: string[], folder: string, signal: AbortSignal): Promise<void> {
  if (!(await hasCommand('mvn'))) throw new MissingPrerequisite(engine, 'Maven', 'apt-get install maven');
  // Maven 3 gives no promise about two processes that write the same local repository.
  const lock = await waitForLock('maven', signal);
  try {
    await runCommand('mvn', ['-q', '-B', ...args, `-DoutputDirectory=${folder}`], signal);
  } finally {
    await lock.release();
  }
}

function projectOf(artifacts: readonly Artifact[]): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>logloom</groupId><artifactId>local-engine</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${artifacts.map(dependencyOf).join('')}
  </dependencies>
</project>
`;
}

function dependencyOf({ groupId, artifactId, version }: Artifact): string {
  return `
    <dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
}
