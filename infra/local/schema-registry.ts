import { globSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { classArchive } from './class-archive.ts';
import { jvmOptions, type Engine, type EngineContext } from './engine.ts';
import { findJava } from './java.ts';
import { fetchAlone, type Artifact } from './maven.ts';
import { answers } from './readiness.ts';
import { runCommand } from './run-command.ts';
import { ServerProcess } from './server-process.ts';
import { oldestJava, versions } from './versions.ts';

const apicurio: Artifact = {
  groupId: 'io.apicurio',
  artifactId: 'apicurio-registry-app',
  version: versions.apicurio,
};

/** Starts Apicurio Registry, which serves Confluent's API under a path of its own: the setting's URL has it. */
export async function startSchemaRegistry(context: EngineContext): Promise<Engine> {
  const { cacheDir, dir, signal } = context;
  const java = await findJava('schema-registry', oldestJava.schemaRegistry);
  const home = await cachedFolder(cacheDir, `apicurio-${versions.apicurio}`, [], signal, async (folder) => {
    await fetchAlone('schema-registry', apicurio, 'tar.gz:all', folder, signal);
    const [archive] = globSync(join(folder, '*.tar.gz'));
    await runCommand('tar', ['-xzf', archive!, '-C', folder], signal);
    await rm(archive!);
  });
  const port = await context.ports.take(context.port);
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  // In memory by default. Records name their schema by the registry's id, so it has to outlive a restart as the topics do; without
  // the delay of 0, H2 writes half a second after the answer.
  const storage = `jdbc:h2:file:${join(dir, 'data/registry')};WRITE_DELAY=0`;
  const classes = await classArchive(context, 'apicurio', java, [versions.apicurio]);
  const server = new ServerProcess({
    name: 'schema-registry',
    port,
    command: java,
    args: [
      ...jvmOptions(context, 256),
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      `-Dapicurio.datasource.url=${storage}`,
      // On a busy machine the first connection takes longer than the 5 s that it has by default, which would fail the start.
      '-Dquarkus.datasource.jdbc.acquisition-timeout=60',
      '-jar',
      join(home, `apicurio-registry-app-${versions.apicurio}-runner.jar`),
    ],
    logFile: join(dir, 'registry.log'),
    isReady: answers(`${url}/subjects`),
    classes,
    signal,
  });
  await server.start();
  return { servers: [server], env: { SCHEMA_REGISTRY_URL: url } };
}
