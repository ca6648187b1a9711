import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { compileJava } from './compile-java.ts';
import { jvmOptions, type Engine, type EngineContext } from './engine.ts';
import { findJava } from './java.ts';
import { fetchWithDependencies } from './maven.ts';
import { printed } from './readiness.ts';
import { ServerProcess } from './server-process.ts';
import { oldestJava, versions } from './versions.ts';

const version = versions.mongoJavaServer;
const sourceDir = join(import.meta.dirname, 'java/mongodb');
const sources = ['StubMongo.java', 'ExpirySweeper.java', 'Logins.java', 'Certificates.java'];

/**
 * Starts the stand-in for MongoDB: mongo-java-server, made acceptable to current drivers. It is all in memory: a restart, killed or
 * not, finds it empty. A secured one takes TLS alone, from the stack's user, by SCRAM-SHA-256 or a client certificate.
 */
export async function startMongodb(context: EngineContext): Promise<Engine> {
  const { security } = context;
  const java = await findJava('mongodb', oldestJava.mongodb);
  const folder = await buildServer(java, context);
  const port = await context.ports.take(context.port);
  const server = new ServerProcess({
    name: 'mongodb',
    port,
    command: java,
    args: [
      // It holds some 4 KB of memory for each event.
      ...jvmOptions(context, 512, 4096),
      '-cp',
      `${join(folder, 'classes')}:${join(folder, 'lib')}/*`,
      'StubMongo',
      String(port),
      context.mongodbMode,
      ...(security === undefined
        ? []
        : [security.server.cert, security.server.key, security.ca, security.user, security.passwordFile]),
    ],
    logFile: join(context.dir, 'mongodb.log'),
    isReady: printed(`listening on ${port}`),
    signal: context.signal,
  });
  await server.start();
  if (security === undefined)
    return { servers: [server], env: { MONGODB_URL: `mongodb://127.0.0.1:${port}` } };
  return {
    servers: [server],
    env: {
      MONGODB_URL: `mongodb://127.0.0.1:${port}/?tls=true`,
      MONGODB_USERNAME: security.user,
      MONGODB_PASSWORD_FILE: security.passwordFile,
      MONGODB_TLS_CA_FILE: security.ca,
    },
  };
}

async function buildServer(java: string, { cacheDir, signal }: EngineContext): Promise<string> {
  const paths = sources.map((source) => join(sourceDir, source));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return cachedFolder(cacheDir, `mongodb-${version}`, [version, ...texts], signal, async (folder) => {
    const libs = join(folder, 'lib');
    const artifact = { groupId: 'de.bwaldvogel', artifactId: 'mongo-java-server', version };
    await fetchWithDependencies('mongodb', [artifact], libs, signal);
    await compileJava({
      engine: 'mongodb',
      java,
      release: oldestJava.mongodb,
      sources: paths,
      libs,
      output: join(folder, 'classes'),
      cacheDir,
      signal,
    });
  });
}
