import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { classArchive } from './class-archive.ts';
import { jvmOptions, type Engine, type EngineContext } from './engine.ts';
import { findJava } from './java.ts';
import { fetchAlone, type Artifact } from './maven.ts';
import { answers } from './readiness.ts';
import { ServerProcess } from './server-process.ts';
import { oldestJava, versions } from './versions.ts';

const zipkin: Artifact = { groupId: 'io.zipkin', artifactId: 'zipkin-server', version: versions.zipkin };

/** Starts Zipkin with its storage in memory: a restart finds it empty. */
export async function startZipkin(context: EngineContext): Promise<Engine> {
  const { cacheDir, dir, signal } = context;
  const java = await findJava('zipkin', oldestJava.zipkin);
  const folder = await cachedFolder(cacheDir, `zipkin-${versions.zipkin}`, [], signal, (empty) =>
    fetchAlone('zipkin', zipkin, 'jar:exec', empty, signal),
  );
  const port = await context.ports.take(context.port);
  const url = `http://127.0.0.1:${port}`;
  const classes = await classArchive(context, 'zipkin', java, [versions.zipkin]);
  const server = new ServerProcess({
    name: 'zipkin',
    port,
    command: java,
    args: [
      ...jvmOptions(context, 128),
      // Its documented settings (QUERY_PORT, server.port) bind to every address of the machine.
      '-Darmeria.ports[0].ip=127.0.0.1',
      `-Darmeria.ports[0].port=${port}`,
      '-Darmeria.ports[0].protocols[0]=http',
      '-jar',
      join(folder, `zipkin-server-${versions.zipkin}-exec.jar`),
    ],
    logFile: join(dir, 'zipkin.log'),
    isReady: answers(`${url}/health`),
    classes,
    signal,
  });
  await server.start();
  return { servers: [server], env: { OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${url}/api/v2/spans` } };
}
