import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { classArchive, type ClassArchive } from './class-archive.ts';
import { jvmOptions, type Engine, type EngineContext } from './engine.ts';
import { findJava } from './java.ts';
import {
  jwksUrl,
  scramArguments,
  securedProperties,
  writeKeystore,
  type SecuredListeners,
} from './kafka-security.ts';
import { fetchWithDependencies } from './maven.ts';
import { printed } from './readiness.ts';
import { runCommand } from './run-command.ts';
import { ServerProcess, startTogether } from './server-process.ts';
import { oldestJava, versions } from './versions.ts';

const bootstrapFile = 'bootstrap.checkpoint';
const inputs = [versions.kafka, versions.slf4jSimple];

interface Node {
  id: number;
  dir: string;
  port: number;
  controllerPort: number;
  /** Of a secured broker; `port` is that of SASL_SSL. */
  secured: SecuredListeners | undefined;
}

interface StorageTool {
  java: string;
  libs: string;
  clusterId: string;
}

/** Starts one broker, or a KRaft cluster in which every node is broker and controller. An asked port is the first broker's. */
export async function startKafka(context: EngineContext): Promise<Engine> {
  const java = await findJava('kafka', oldestJava.kafka);
  const libs = await fetchKafka(context);
  const nodes: Node[] = [];
  for (let id = 1; id <= context.brokers; id++) {
    const port = await context.ports.take(context.port === undefined ? undefined : context.port + id - 1);
    const controllerPort = await context.ports.take();
    const secured = context.security && {
      sasl: port,
      mtls: await context.ports.take(),
      internal: await context.ports.take(),
    };
    nodes.push({ id, dir: join(context.dir, `broker-${id}`), port, controllerPort, secured });
  }
  const clusterId = newId();
  const tool = { java, libs, clusterId };
  await Promise.all(nodes.map((node) => format(tool, node, nodes, context)));
  const classes = await classArchive(context, 'kafka', java, inputs);
  const brokers = nodes.map((node) => brokerProcess(java, libs, node, context, classes));
  await startTogether(brokers);
  const addresses = (port: (node: Node) => number): string =>
    nodes.map((node) => `127.0.0.1:${port(node)}`).join(',');
  const env = { KAFKA_BROKERS: addresses((node) => node.port) };
  if (context.security === undefined) return { servers: brokers, env };
  const { ca, user, passwordFile } = context.security;
  return {
    servers: brokers,
    env: {
      ...env,
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA_FILE: ca,
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD_FILE: passwordFile,
    },
    addresses: {
      mtls: addresses((node) => node.secured!.mtls),
      internal: addresses((node) => node.secured!.internal),
    },
  };
}

/** Kafka's jars, in a folder of the cache. */
export function fetchKafka({
  cacheDir,
  signal,
}: Pick<EngineContext, 'cacheDir' | 'signal'>): Promise<string> {
  const artifacts = [
    { groupId: 'org.apache.kafka', artifactId: 'kafka_2.13', version: versions.kafka },
    { groupId: 'org.slf4j', artifactId: 'slf4j-simple', version: versions.slf4jSimple },
  ];
  return cachedFolder(cacheDir, `kafka-${versions.kafka}`, inputs, signal, (folder) =>
    fetchWithDependencies('kafka', artifacts, folder, signal),
  );
}

function brokerProcess(
  java: string,
  libs: string,
  node: Node,
  context: EngineContext,
  classes: ClassArchive,
): ServerProcess {
  const { signal } = context;
  const options = jvmOptions(context, 192, 512);
  if (context.security !== undefined)
    options.push(`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwksUrl(context.security)}`);
  return new ServerProcess({
    name: `kafka-${node.id}`,
    port: node.port,
    command: java,
    args: [...options, '-cp', `${libs}/*`, 'kafka.Kafka', join(node.dir, 'server.properties')],
    logFile: join(node.dir, 'broker.log'),
    // The port answers a little before the controller lets the broker lead partitions.
    isReady: printed('Kafka Server started'),
    classes,
    signal,
  });
}

/** Writes the settings, and makes the data folder of a node that has none. */
async function format(
  tool: StorageTool,
  node: Node,
  nodes: readonly Node[],
  context: EngineContext,
): Promise<void> {
  const file = await writeProperties(node, nodes, context);
  const data = join(node.dir, 'data');
  const meta = join(data, 'meta.properties');
  if (existsSync(meta)) return;
  // The user's password is among the first records.
  if (context.security !== undefined)
    return runStorageTool(tool, file, context, scramArguments(context.security));
  const bootstrap = await bootstrapRecords(tool, context);
  await mkdir(data, { recursive: true });
  await copyFile(bootstrap, join(data, bootstrapFile));
  const ids = [`cluster.id=${tool.clusterId}`, `node.id=${node.id}`, `directory.id=${newId()}`];
  await writeFile(meta, ['version=1', ...ids, ''].join('\n'));
}

/**
 * Returns the path of what Kafka's storage tool writes first into the metadata log of a node without users. It is the same for all nodes,
 * so that the tool, a JVM of its own, runs once for all of them.
 */
async function bootstrapRecords(tool: StorageTool, context: EngineContext): Promise<string> {
  const { cacheDir, signal } = context;
  const folder = await cachedFolder(cacheDir, 'kafka-bootstrap', inputs, signal, async (empty) => {
    const node = { id: 1, dir: empty, port: 9092, controllerPort: 9093, secured: undefined };
    await runStorageTool(tool, await writeProperties(node, [node], context), context);
  });
  return join(folder, 'data', bootstrapFile);
}

async function runStorageTool(
  { java, libs, clusterId }: StorageTool,
  properties: string,
  { signal }: EngineContext,
  more: readonly string[] = [],
): Promise<void> {
  const args = ['-cp', `${libs}/*`, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties];
  await runCommand(java, ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...args, ...more], signal);
}

/** Returns the path of the file. */
async function writeProperties(
  node: Node,
  nodes: readonly Node[],
  { security }: EngineContext,
): Promise<string> {
  await mkdir(node.dir, { recursive: true });
  const file = join(node.dir, 'server.properties');
  const listeners =
    security === undefined
      ? plainListeners(node)
      : securedProperties(security, node.secured!, node.controllerPort, await writeKeystore(security));
  const settings = { ...properties(node, nodes), ...listeners };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(file, lines.join(''));
  return file;
}

function plainListeners({ port, controllerPort }: Node): Record<string, string> {
  return {
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
  };
}

function properties(node: Node, nodes: readonly Node[]): Record<string, string | number> {
  const copies = nodes.length;
  const minInSync = Math.max(1, copies - 1);
  return {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes.map((n) => `${n.id}@127.0.0.1:${n.controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(node.dir, 'data'),
    'num.partitions': 3,
    'default.replication.factor': copies,
    'min.insync.replicas': minInSync,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': minInSync,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': minInSync,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': 'false',
    // A killed broker can't register again before its old session is over: 9 s by default.
    'broker.session.timeout.ms': copies === 1 ? 2_000 : 3_000,
    'broker.heartbeat.interval.ms': 500,
    'controller.quorum.election.timeout.ms': 500,
    'controller.quorum.fetch.timeout.ms': 1_000,
    // 128 MB by default, which alone would not fit the small heap.
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'num.network.threads': 2,
    'num.io.threads': 4,
  };
}

/** Kafka's own form of an id: 16 bytes in URL-safe base64. One with a leading minus would be taken for an option. */
function newId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
