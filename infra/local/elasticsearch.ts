import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { assembleElasticsearch } from './assemble-elasticsearch.ts';
import { classArchive } from './class-archive.ts';
import { jvmOptions, type Engine, type EngineContext } from './engine.ts';
import { findJava } from './java.ts';
import { answers } from './readiness.ts';
import { ServerProcess } from './server-process.ts';
import { oldestJava } from './versions.ts';

/** Starts a single-node Elasticsearch without security. */
export async function startElasticsearch(context: EngineContext): Promise<Engine> {
  const { dir, signal } = context;
  const java = await findJava('elasticsearch', oldestJava.elasticsearch);
  const assembly = await assembleElasticsearch(java, context);
  const port = await context.ports.take(context.port);
  const transportPort = await context.ports.take();
  const config = join(dir, 'config');
  const temporary = join(dir, 'tmp');
  await Promise.all([config, temporary].map((folder) => mkdir(folder, { recursive: true })));
  const settings = {
    'path.home': join(assembly, 'home'),
    'path.data': join(dir, 'data'),
    'path.logs': dir,
    'cluster.name': 'logloom-local',
    'node.name': 'local',
    'network.host': '127.0.0.1',
    'http.port': port,
    'transport.port': transportPort,
    'discovery.type': 'single-node',
    // A nearly full disk of a developer must not make the indices read-only.
    'cluster.routing.allocation.disk.threshold_enabled': false,
  };
  const url = `http://127.0.0.1:${port}`;
  const classes = await classArchive(context, 'elasticsearch', java, [assembly]);
  const server = new ServerProcess({
    name: 'elasticsearch',
    port,
    command: java,
    args: [
      ...jvmOptions(context, 256, 512),
      '--enable-native-access=ALL-UNNAMED',
      '-Dio.netty.noUnsafe=true',
      // libvec is in the official distribution only; the start would fail where it is looked for.
      '-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false',
      `-Des.nativelibs.path=${join(assembly, 'native')}`,
      `-Djava.io.tmpdir=${temporary}`,
      '-cp',
      `${join(assembly, 'lib')}/*`,
      'LocalNode',
      config,
      ...Object.entries(settings).map(([key, value]) => `${key}=${value}`),
    ],
    logFile: join(dir, 'elasticsearch.log'),
    // Red until the shards of an earlier run are back; indices with replicas stay yellow on one node.
    classes,
    isReady: answers(`${url}/_cluster/health`, (body) => /"status":"(green|yellow)"/.test(body)),
    signal,
  });
  await server.start();
  return { servers: [server], env: { ELASTICSEARCH_URL: url } };
}
