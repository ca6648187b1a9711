import { checkExposure, checkIngestExposure } from '@logloom/auth';
import { describeSettings, parseSettings, type Settings } from '../../apps/logloom/src/settings.ts';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseEnv } from 'node:util';
import yaml from 'yaml';
import { defaultPorts } from '../../services/ingest/src/default-ports.ts';
import { versions } from '../../infra/local/versions.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'infra/compose');

interface Service {
  image: string;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string | number>;
  env_file?: { path: string; required: boolean }[];
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  deploy: { resources: { limits: { cpus: string; memory: string } } };
  restart?: string;
  user?: string;
  privileged?: boolean;
  network_mode?: string;
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  networks?: Record<string, { ipv4_address: string }>;
  profiles?: string[];
  build?: { context: string; dockerfile: string };
}

interface ComposeFile {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const files = ['compose.yaml', 'compose.small.yaml'];
const ourServices = ['ingest', 'correlator', 'indexer', 'fanout'];
/** The image of one holds no program for a check; the others are jobs that end. */
const withoutHealthCheck = ['otel-collector', 'mongo-init', 'kibana-init'];

function read(file: string): ComposeFile {
  // The file is ours: its many uses of one anchor are no attack.
  return yaml.parse(readFileSync(join(folder, file), 'utf8'), {
    merge: true,
    maxAliasCount: -1,
  }) as ComposeFile;
}

const whole = read('compose.yaml');
const small = read('compose.small.yaml');
const defaults = parseSettings({});
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The port of a service's health, as its main.ts has it. */
function healthPort(service: string): number {
  const main = readFileSync(join(root, `services/${service}/src/main.ts`), 'utf8');
  return Number(/\b91\d\d\b/.exec(main)![0]);
}

/** The container's ports that a service publishes, with their protocol. */
function published({ ports = [] }: Service): string[] {
  return ports.map((port) => port.slice(port.lastIndexOf(':') + 1)).sort();
}

for (const file of files) {
  describe(file, () => {
    const { services, volumes } = read(file);

    test('images have exact versions', () => {
      for (const [name, { image }] of Object.entries(services))
        assert.match(image, /:v?\d+\.\d+\.\d+(-[a-z]+)?$/, name);
    });

    test('each service has a health check, limits and a restart policy', () => {
      for (const [name, service] of Object.entries(services)) {
        assert.equal(service.healthcheck === undefined, withoutHealthCheck.includes(name), name);
        const { cpus, memory } = service.deploy.resources.limits;
        assert.ok(Number(cpus) > 0 && /^\d+[mg]$/.test(memory), name);
        assert.ok(service.restart !== undefined, name);
      }
    });

    test('nothing is privileged, has rights or may gain any, and our containers have a read-only file system', () => {
      for (const [name, service] of Object.entries(services)) {
        assert.ok(service.privileged === undefined && service.network_mode === undefined, name);
        assert.ok(!(service.user ?? '').startsWith('root') && service.user !== '0', name);
        assert.ok(!(service.volumes ?? []).some((volume) => volume.includes('docker.sock')), name);
        assert.deepEqual(service.cap_drop, ['ALL'], name);
        assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
        if (service.build !== undefined) assert.equal(service.read_only, true, name);
      }
    });

    test('what is waited for exists, and can become what is waited for', () => {
      for (const [name, { depends_on = {} }] of Object.entries(services))
        for (const [dependency, { condition }] of Object.entries(depends_on)) {
          const target = services[dependency];
          assert.ok(target, `${name} waits for ${dependency}`);
          if (condition === 'service_healthy')
            assert.ok(target.healthcheck, `${name} waits for ${dependency}`);
          if (condition === 'service_completed_successfully') assert.match(target.restart!, /^on-failure/);
        }
    });

    test('volumes are declared and used, and mounted files exist', () => {
      const used = Object.values(services).flatMap((service) =>
        (service.volumes ?? []).map((volume) => volume.split(':')[0]!),
      );
      const isPath = (source: string): boolean => source.startsWith('.');
      for (const path of used.filter(isPath)) assert.ok(existsSync(join(folder, path)), path);
      const named = used.filter((source) => !isPath(source));
      assert.deepEqual(named.sort(), Object.keys(volumes).sort(), 'each volume has one user');
    });

    test('ports are published on loopback unless LOGLOOM_BIND says otherwise', () => {
      const ports = Object.values(services).flatMap((service) => service.ports ?? []);
      assert.notEqual(ports.length, 0);
      for (const port of ports) assert.match(port, /^(127\.0\.0\.1|\$\{LOGLOOM_BIND:-127\.0\.0\.1\}):/);
    });

    test('on any address but loopback nothing starts without tokens and keys', () => {
      for (const [name, { environment = {}, build }] of Object.entries(services)) {
        if (build === undefined) continue;
        assert.equal(environment['PUBLISHED_ON'], '${LOGLOOM_BIND:-127.0.0.1}', name);
        const publishedOn = (address: string): Settings =>
          parseSettings({ ...(environment as Record<string, string>), PUBLISHED_ON: address });
        assert.doesNotThrow(() => checkExposure(publishedOn('127.0.0.1')), name);
        assert.throws(() => checkExposure(publishedOn('0.0.0.0')), /LIVE_AUTH_JWKS/, name);
        assert.doesNotThrow(() => checkIngestExposure(publishedOn('127.0.0.1')), name);
        assert.throws(() => checkIngestExposure(publishedOn('0.0.0.0')), /INGEST_KEYS/, name);
      }
    });

    test('what runs our image exists and is set up by settings that exist', () => {
      const names = new Set(describeSettings().map((setting) => setting.name));
      const ours = Object.entries(services).filter(([, service]) => service.build !== undefined);
      assert.notEqual(ours.length, 0);
      for (const [name, { image, command = [], environment = {}, build, healthcheck }] of ours) {
        assert.equal(image, `logloom:${packageJson.version}`, name);
        assert.ok(existsSync(join(folder, build!.context, build!.dockerfile)), name);
        for (const path of [...command, ...healthcheck!.test].filter((word) => word.endsWith('.ts')))
          assert.ok(existsSync(join(root, path)), `${name}: ${path}`);
        for (const variable of Object.keys(environment))
          assert.ok(names.has(variable) || variable.startsWith('OTEL_'), `${name}: ${variable}`);
        const settings = parseSettings(environment as Record<string, string>);
        assert.equal(settings.HOST, '0.0.0.0', name);
      }
    });
  });
}

test('the four services run, each with its own health', () => {
  for (const name of ourServices) {
    const service = whole.services[name]!;
    const port = healthPort(name);
    assert.deepEqual(service.command, ['node', `services/${name}/src/main.ts`]);
    assert.equal(service.healthcheck!.test.at(-1), `http://127.0.0.1:${port}/health/ready`);
    assert.ok(published(service).includes(String(port)), name);
  }
});

test('the indexer has a folder that it can write to, in which it keeps a copy of what Redis has of jobs', () => {
  const { environment, tmpfs = [] } = whole.services['indexer']!;
  const folders = tmpfs.map((mount) => mount.split(':')[0]);
  assert.ok(folders.includes(environment!['LOGLOOM_DATA'] as string));
});

test('Prometheus, Alertmanager and Grafana run on demand, and Prometheus scrapes the four services and knows the rules', () => {
  const onDemand = Object.entries(whole.services).filter(([, { profiles }]) =>
    profiles?.includes('monitoring'),
  );
  assert.deepEqual(onDemand.map(([name]) => name).sort(), ['alertmanager', 'grafana', 'prometheus']);
  const config = yaml.parse(
    readFileSync(join(root, 'infra/monitoring/prometheus/prometheus.yaml'), 'utf8'),
  ) as {
    rule_files: string[];
    scrape_configs: {
      static_configs?: { targets: string[] }[];
      dns_sd_configs?: { names: string[]; port: number }[];
    }[];
    alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
  };
  const targets = config.scrape_configs.flatMap(({ static_configs = [] }) =>
    static_configs.flatMap((one) => one.targets),
  );
  assert.deepEqual(
    targets,
    ourServices.map((name) => `${name}:${healthPort(name)}`),
  );
  const managers = config.alerting.alertmanagers.flatMap((one) => one.static_configs[0]!.targets);
  assert.deepEqual(managers, ['alertmanager:9093']);
  const mounts = whole.services['prometheus']!.volumes!;
  for (const path of config.rule_files)
    assert.ok(
      mounts.some((mount) => mount.split(':')[1] === path.slice(0, path.lastIndexOf('/'))),
      path,
    );
  for (const [name, service] of onDemand) assert.equal(service.read_only, true, name);
});

test('Kibana runs on demand, in the version of Elasticsearch, and gets the saved objects', () => {
  const onDemand = Object.entries(whole.services).filter(([, { profiles }]) => profiles?.includes('kibana'));
  assert.deepEqual(onDemand.map(([name]) => name).sort(), ['kibana', 'kibana-init']);
  for (const [name, { image }] of onDemand) assert.equal(image.split(':')[1], versions.elasticsearch, name);
  const { entrypoint, volumes } = whole.services['kibana-init']!;
  const file = entrypoint!.find((word) => word.startsWith('file=@'))!.slice('file=@'.length);
  assert.deepEqual(volumes, [`../kibana/saved-objects.ndjson:${file}:ro`]);
});

test('the canary runs on demand, sends to the services, and is scraped where it runs', () => {
  const onDemand = Object.entries(whole.services).filter(([, { profiles }]) => profiles?.includes('canary'));
  assert.deepEqual(
    onDemand.map(([name]) => name),
    ['canary'],
  );
  const { environment, healthcheck, command } = whole.services['canary']!;
  assert.deepEqual(command, ['node', 'apps/logloom/src/main.ts', 'canary']);
  const settings = parseSettings(environment as Record<string, string>);
  assert.equal(settings.CANARY_INGEST_URL, `http://ingest:${defaults.INGEST_PORT}`);
  assert.deepEqual(settings.CANARY_SYSLOG, { host: 'ingest', port: defaults.SYSLOG_PORT });
  assert.equal(settings.CANARY_SEARCH_URL, `http://indexer:${healthPort('indexer')}`);
  assert.equal(settings.CANARY_VIEWERS_URL, `http://fanout:${defaults.LIVE_PORT}`);
  const port = Number(new URL(healthcheck!.test.at(-1)!).port);
  const cli = readFileSync(join(root, 'apps/logloom/src/commands/canary-cli.ts'), 'utf8');
  assert.ok(cli.includes(`healthPort: ${port}`));
  const prometheus = yaml.parse(
    readFileSync(join(root, 'infra/monitoring/prometheus/prometheus.yaml'), 'utf8'),
  ) as { scrape_configs: { dns_sd_configs?: { names: string[]; port: number }[] }[] };
  const found = prometheus.scrape_configs.flatMap(({ dns_sd_configs = [] }) => dns_sd_configs);
  assert.deepEqual(
    found.map(({ names, port }) => ({ names, port })),
    [{ names: ['canary'], port }],
  );
});

test('only the front is believed when it names the address of a viewer', () => {
  const trusted = whole.services['fanout']!.environment!['LIVE_TRUSTED_PROXIES'];
  assert.equal(trusted, whole.services['front']!.networks!['default']!.ipv4_address);
});

test('the ports for applications and viewers are the default ones', () => {
  const { INGEST_PORT, SYSLOG_PORT, LIVE_PORT } = defaults;
  const { OTLP_GRPC_PORT, SYSLOG_TLS_PORT, FORWARD_PORT, GELF_PORT } = defaultPorts;
  const bothWays = [SYSLOG_PORT, FORWARD_PORT, GELF_PORT].flatMap((port) => [`${port}/tcp`, `${port}/udp`]);
  const forApplications = [...[INGEST_PORT, OTLP_GRPC_PORT, SYSLOG_TLS_PORT].map(String), ...bothWays];
  assert.deepEqual(
    published(whole.services['ingest']!),
    [...forApplications, `${healthPort('ingest')}`].sort(),
  );
  assert.deepEqual(published(small.services['logloom']!), [...forApplications, `${LIVE_PORT}`].sort());
  assert.match(whole.services['front']!.ports!.join(), new RegExp(`:${LIVE_PORT}:8080$`));
  const check = small.services['logloom']!.healthcheck!.test.at(-1);
  assert.equal(check, `http://127.0.0.1:${LIVE_PORT}/health/ready`);
});

test('a port that a collector may have is moved on the host by .env, and is the usual one else', () => {
  const example = parseEnv(readFileSync(join(folder, '.env.example'), 'utf8'));
  for (const [setting, port] of Object.entries(defaultPorts)) {
    const variable = `LOGLOOM_${setting}`;
    assert.equal(example[variable], String(port));
    for (const service of [whole.services['ingest']!, small.services['logloom']!]) {
      const mapped = service.ports!.filter((line) => line.includes(variable));
      assert.notEqual(mapped.length, 0, variable);
      for (const line of mapped) assert.ok(line.includes(`:\${${variable}:-${port}}:${port}`), line);
    }
  }
});

test('the engines are those that the local stack runs, and are found under their names', () => {
  const tag = (service: string): string => whole.services[service]!.image.split(':').at(-1)!;
  assert.equal(tag('kafka-1'), versions.kafka);
  assert.equal(tag('schema-registry'), versions.apicurio);
  assert.equal(tag('elasticsearch'), versions.elasticsearch);
  assert.equal(tag('zipkin'), versions.zipkin);

  const hosts = Object.values(whole.services).flatMap(({ environment = {} }) =>
    Object.values(environment).flatMap((value) => String(value).match(/[a-z][a-z0-9-]*(?=:\d{4})/g) ?? []),
  );
  assert.ok(hosts.includes('kafka-3') && hosts.includes('mongos'));
  for (const host of hosts) assert.ok(whole.services[host], `there is no ${host}`);
});

test('the brokers are one cluster, and say where each of them is', () => {
  const brokers = [1, 2, 3].map((id) => whole.services[`kafka-${id}`]!);
  for (const [i, { environment, ports }] of brokers.entries()) {
    const name = `kafka-${i + 1}`;
    assert.equal(environment!['KAFKA_NODE_ID'], i + 1);
    assert.equal(environment!['CLUSTER_ID'], brokers[0]!.environment!['CLUSTER_ID']);
    assert.match(String(environment!['KAFKA_CONTROLLER_QUORUM_VOTERS']), new RegExp(`${i + 1}@${name}:9093`));
    const port = ports![0]!.split(':').at(-1)!;
    const advertised = String(environment!['KAFKA_ADVERTISED_LISTENERS']);
    assert.equal(advertised, `INTERNAL://${name}:9092,HOST://127.0.0.1:${port}`);
    assert.match(String(environment!['KAFKA_LISTENERS']), new RegExp(`HOST://:${port}$`));
  }
  const id = Buffer.from(String(brokers[0]!.environment!['CLUSTER_ID']), 'base64url');
  assert.equal(id.length, 16);
});

test('the replica sets that are made are those that the servers belong to', () => {
  const script = readFileSync(join(folder, 'init-sharding.js'), 'utf8');
  for (const [name, { command }] of Object.entries(whole.services)) {
    if (command?.[0] !== 'mongod') continue;
    const set = command[command.indexOf('--replSet') + 1]!;
    const hosts = new RegExp(`^ *'?${set}'?: \\[(.*)\\],$`, 'm').exec(script)?.[1];
    assert.ok(hosts?.includes(`'${name}:27017'`), `${name} is in ${set}`);
    assert.equal(command.includes(set === 'config' ? '--configsvr' : '--shardsvr'), true, name);
  }
  const inScript = [...script.matchAll(/mongo-[a-z0-9-]+(?=:27017)/g)].map(([name]) => name);
  assert.equal(new Set(inScript).size, 9);
  for (const name of inScript) assert.equal(whole.services[name]?.command?.[0], 'mongod', name);
});

test('the example of a .env file holds settings that exist, with values that they take', () => {
  const example = parseEnv(readFileSync(join(folder, '.env.example'), 'utf8'));
  const onHost = Object.keys(defaultPorts).map((setting) => `LOGLOOM_${setting}`);
  const names = new Set([...describeSettings().map((setting) => setting.name), 'LOGLOOM_BIND', ...onHost]);
  assert.deepEqual(
    Object.keys(example).filter((name) => !names.has(name)),
    [],
  );
  assert.equal(parseSettings(example).LOG_PARTITIONS, 12);
});

test('Docker Compose reads both files', (t) => {
  const compose = ['compose', 'version'];
  if (spawnSync('docker', compose).status !== 0) return t.skip('Docker Compose is not installed');
  for (const file of files) {
    const result = spawnSync('docker', ['compose', '-f', join(folder, file), 'config', '--quiet']);
    assert.equal(result.status, 0, String(result.stderr));
  }
});
