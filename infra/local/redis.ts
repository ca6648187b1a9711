import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, EngineContext } from './engine.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { printed } from './readiness.ts';
import { hasCommand, runCommand } from './run-command.ts';
import { ServerProcess, startTogether } from './server-process.ts';
import type { StackSecurity } from './stack-security.ts';

const sentinelCount = 3;
const sentinelName = 'logloom';
/** What a client of sentinels needs, and no more: docs/engines.md has the same. */
export const sentinelRules =
  '&+switch-master +auth +ping +subscribe +sentinel|get-master-addr-by-name +sentinel|sentinels';
/** How many Redis servers there are: a cluster cannot have fewer. */
const nodes = { single: 1, sentinel: 2, cluster: 3 };

/**
 * Starts the machine's own redis-server with an append-only file, so that what it acknowledged outlives its process; or three of them as
 * a cluster; or a primary, the first server, a replica and three sentinels. A secured one takes TLS alone, from a user who may do what
 * docs/engines.md lists.
 */
export async function startRedis(context: EngineContext): Promise<Engine> {
  if (!(await hasCommand('redis-server')))
    throw new MissingPrerequisite('redis', 'redis-server', 'apt-get install redis-server');
  const { security, signal } = context;
  const { redisMode } = context;
  const isCluster = redisMode === 'cluster';
  const servers: ServerProcess[] = [];
  for (let i = 0; i < nodes[redisMode]; i++) {
    const port = await context.ports.take(context.port === undefined ? undefined : context.port + i);
    const primary = redisMode === 'sentinel' && i > 0 ? servers[0]!.port : undefined;
    servers.push(
      await redisServer(context, redisMode === 'single' ? 'redis' : `redis-${i + 1}`, port, primary),
    );
  }
  await startTogether(servers);
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`);
  if (isCluster) {
    const login = security === undefined ? [] : ['--tls', '--cacert', security.ca, ...adminLogin(security)];
    await runCommand('redis-cli', [...login, '--cluster', 'create', ...hosts, '--cluster-yes'], signal);
  }
  if (redisMode === 'sentinel') return startSentinels(context, servers);
  const mode = isCluster ? { REDIS_MODE: 'cluster' } : {};
  if (security === undefined) return { servers, env: { REDIS_URL: `redis://${hosts.join(',')}`, ...mode } };
  return { servers, env: { ...loginSettings(security, hosts), ...mode } };
}

function loginSettings(security: StackSecurity, hosts: readonly string[]): Record<string, string> {
  return {
    REDIS_URL: `rediss://${hosts.join(',')}`,
    REDIS_USERNAME: security.user,
    REDIS_PASSWORD_FILE: security.passwordFile,
    REDIS_TLS_CA_FILE: security.ca,
  };
}

/**
 * The servers with their sentinels, once each of these knows the others and the replica. Secured ones take TLS alone, from the same user by
 * the rights that docs/engines.md lists, and from each other.
 */
async function startSentinels(context: EngineContext, servers: readonly ServerProcess[]): Promise<Engine> {
  const { security } = context;
  const [primary] = servers;
  const sentinels: ServerProcess[] = [];
  for (let i = 1; i <= sentinelCount; i++) {
    const port = await context.ports.take();
    const dir = join(context.dir, `sentinel-${i}`);
    await mkdir(dir, { recursive: true });
    const file = join(dir, 'sentinel.conf');
    const settings = [
      'bind 127.0.0.1',
      `dir ${dir}`,
      ...(security === undefined ? [`port ${port}`] : sentinelSecurity(security, port)),
      `sentinel monitor ${sentinelName} 127.0.0.1 ${primary!.port} ${Math.ceil(sentinelCount / 2)}`,
      // Quicker than the defaults of 30 s and 3 min.
      `sentinel down-after-milliseconds ${sentinelName} 1000`,
      `sentinel failover-timeout ${sentinelName} 5000`,
      ...(security === undefined ? [] : sentinelLogins(security)),
    ];
    await writeFile(file, settings.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    sentinels.push(
      new ServerProcess({
        name: `sentinel-${i}`,
        port,
        command: 'redis-server',
        args: [file, '--sentinel'],
        logFile: join(context.dir, `sentinel-${i}.log`),
        isReady: async (output) =>
          output.includes('+slave ') && output.split('+sentinel sentinel').length >= sentinelCount,
        signal: context.signal,
      }),
    );
  }
  await startTogether(sentinels);
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`);
  return {
    servers: [...servers, ...sentinels],
    env: {
      REDIS_MODE: 'sentinel',
      REDIS_SENTINEL_NAME: sentinelName,
      ...(security === undefined
        ? { REDIS_URL: `redis://${hosts.join(',')}` }
        : {
            ...loginSettings(security, hosts),
            REDIS_SENTINEL_USERNAME: security.user,
            REDIS_SENTINEL_PASSWORD_FILE: security.passwordFile,
          }),
    },
  };
}

/** How a sentinel is reached, and who may ask it what. */
function sentinelSecurity(security: StackSecurity, port: number): string[] {
  const { user, password } = security;
  const settings = { port: '0', ...tlsSettings(security, port) };
  return [
    ...Object.entries(settings).map(([key, value]) => `${key} ${value}`),
    'user default off',
    `user ${user} on >${password} resetchannels ${sentinelRules}`,
    `user admin on >${password} ~* &* +@all`,
  ];
}

/** What a sentinel needs to talk to the servers and to the other sentinels. */
function sentinelLogins({ password }: StackSecurity): string[] {
  return [
    `sentinel auth-user ${sentinelName} admin`,
    `sentinel auth-pass ${sentinelName} ${password}`,
    'sentinel sentinel-user admin',
    `sentinel sentinel-pass ${password}`,
  ];
}

async function redisServer(
  context: EngineContext,
  name: string,
  port: number,
  primaryPort?: number,
): Promise<ServerProcess> {
  const { security } = context;
  const data = join(context.dir, name === 'redis' ? 'data' : name);
  await mkdir(data, { recursive: true });
  const settings: Record<string, string> = {
    port: security === undefined ? String(port) : '0',
    bind: '127.0.0.1',
    dir: data,
    appendonly: 'yes',
    save: '',
    // BullMQ's demand: a queue must refuse new jobs rather than forget old ones.
    'maxmemory-policy': 'noeviction',
    ...(primaryPort !== undefined && { replicaof: `127.0.0.1 ${primaryPort}` }),
    ...(context.redisMode === 'cluster' && {
      'cluster-enabled': 'yes',
      // By default the client port and 10,000, which lies where Linux takes outgoing ports from.
      'cluster-port': String(await context.ports.take()),
    }),
    ...(security !== undefined && (await securedSettings(security, data, port))),
  };
  return new ServerProcess({
    name,
    port,
    command: 'redis-server',
    args: Object.entries(settings).flatMap(([key, value]) => [`--${key}`, ...argumentsOf(key, value)]),
    logFile: join(context.dir, `${name}.log`),
    isReady: printed('Ready to accept connections'),
    signal: context.signal,
  });
}

function argumentsOf(key: string, value: string): string[] {
  return key === 'replicaof' ? value.split(' ') : [value];
}

async function securedSettings(
  security: StackSecurity,
  dir: string,
  port: number,
): Promise<Record<string, string>> {
  const { user, password } = security;
  const aclFile = join(dir, 'users.acl');
  const users = [
    // Nobody can log in as it, but Redis reads its append-only file back as this user, and drops every transaction that it may not run.
    'user default off ~* &* +@all',
    // What BullMQ and the records need, and no more; the tests have prefixes of their own.
    `user ${user} on >${password} ~{logloom}* ~{logloom-records}* ~{test-* &{logloom}* &{test-* +@all -@admin -@dangerous +info`,
    // The nodes of a cluster log in to each other as it.
    `user admin on >${password} ~* &* +@all`,
  ];
  await writeFile(aclFile, users.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  return {
    ...tlsSettings(security, port),
    'tls-cluster': 'yes',
    masteruser: 'admin',
    masterauth: password,
    aclfile: aclFile,
  };
}

/** Of a server or a sentinel. Sentinels reach the servers by TLS only with `tls-replication`. */
function tlsSettings({ server, ca }: StackSecurity, port: number): Record<string, string> {
  return {
    'tls-port': String(port),
    'tls-cert-file': server.cert,
    'tls-key-file': server.key,
    'tls-ca-cert-file': ca,
    'tls-auth-clients': 'optional',
    'tls-replication': 'yes',
  };
}

function adminLogin({ password }: StackSecurity): string[] {
  return ['--user', 'admin', '--pass', password, '--no-auth-warning'];
}
