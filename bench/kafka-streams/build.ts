import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from '../../infra/local/cache.ts';
import { compileJava } from '../../infra/local/compile-java.ts';
import { defaultCacheDir } from '../../infra/local/environment.ts';
import { fetchWithDependencies } from '../../infra/local/maven.ts';
import { oldestJava, versions } from '../../infra/local/versions.ts';

const engine = 'kafka-streams';
const artifacts = [
  { groupId: 'org.apache.kafka', artifactId: 'kafka-streams', version: versions.kafka },
  { groupId: 'org.apache.avro', artifactId: 'avro', version: '1.12.1' },
  { groupId: 'org.slf4j', artifactId: 'slf4j-simple', version: versions.slf4jSimple },
];

/** Compiles a job, once per state of its sources (files beside this one), and returns its class path. */
export async function buildStreamsJob(
  java: string,
  sources: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const paths = sources.map((name) => join(import.meta.dirname, name));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  const wanted = artifacts.map(({ artifactId, version }) => `${artifactId}-${version}`);
  const libs = await cachedFolder(defaultCacheDir, 'kafka-streams', wanted, signal, (folder) =>
    fetchWithDependencies(engine, artifacts, folder, signal),
  );
  const classes = await cachedFolder(
    defaultCacheDir,
    'kafka-streams-job',
    [libs, ...texts],
    signal,
    (folder) =>
      compileJava({
        engine,
        java,
        release: oldestJava.kafka,
        sources: paths,
        libs,
        output: folder,
        cacheDir: defaultCacheDir,
        signal,
      }),
  );
  return `${classes}:${libs}/*`;
}
