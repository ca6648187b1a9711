import { describeSettings, parseSettings } from '../../apps/logloom/src/settings.ts';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import yaml from 'yaml';
import {
  podOf,
  preStopSeconds,
  readManifests,
  workloads,
  type Container,
  type Manifest,
} from './testing/manifest.ts';
import { chartFolder, plainFolder, plainManifests, sourcesLine } from './plain-manifests.ts';

const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const settings = new Map(describeSettings().map((setting) => [setting.name, setting]));
const defaults = parseSettings({});

/** How long (s) a process may take to drain besides LIVE_DRAIN_MS, as libs/runtime has it. */
const drainSeconds =
  Number(
    /drainMs = ([\d_]+)/
      .exec(readFileSync(join(root, 'libs/runtime/src/end-anyway.ts'), 'utf8'))![1]!
      .replaceAll('_', ''),
  ) / 1000;

/** What runs our image. */
const components: Readonly<Record<keyof typeof plainManifests, readonly string[]>> = {
  'single.yaml': ['single'],
  'services.yaml': ['ingest', 'correlator', 'indexer', 'fanout'],
  'services-canary.yaml': ['ingest', 'correlator', 'indexer', 'fanout', 'canary'],
};

function componentOf(manifest: Manifest): string {
  return manifest.metadata.labels!['app.kubernetes.io/component']!;
}

/** The containers of Logloom's image, with the component that each belongs to. */
function ours(manifests: readonly Manifest[]): { component: string; container: Container; grace: number }[] {
  return workloads(manifests)
    .filter((manifest) => componentOf(manifest) !== 'front')
    .map((manifest) => {
      const { spec } = podOf(manifest);
      return {
        component: componentOf(manifest),
        container: spec.containers[0]!,
        grace: spec.terminationGracePeriodSeconds,
      };
    });
}

function portsOf({ ports = [] }: Container): Record<string, number> {
  return Object.fromEntries(ports.map(({ name, containerPort }) => [name, containerPort]));
}

const labelsMatch = (selector: Record<string, string>, labels: Record<string, string>): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

for (const [file, values] of Object.entries(plainManifests)) {
  describe(file, () => {
    const text = readFileSync(join(plainFolder, file), 'utf8');
    const manifests = readManifests(text);
    const of = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);

    test('it was made from the chart as it is now', () => {
      assert.ok(text.includes(`# ${sourcesLine(values)}\n`), 'run: node infra/kubernetes/render.ts');
    });

    test('every pod is without rights, token and a file system to write to', () => {
      assert.notEqual(workloads(manifests).length, 0);
      for (const manifest of workloads(manifests)) {
        const { name } = manifest.metadata;
        const { spec } = podOf(manifest);
        assert.equal(spec.automountServiceAccountToken, false, name);
        assert.equal(spec.enableServiceLinks, false, name);
        assert.equal(spec.securityContext['runAsNonRoot'], true, name);
        assert.deepEqual(spec.securityContext['seccompProfile'], { type: 'RuntimeDefault' }, name);
        for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
          assert.deepEqual(
            container.securityContext,
            {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            container.name,
          );
          assert.ok(container.resources.requests['memory'] && container.resources.limits['memory']);
          const volumes = new Set(spec.volumes.map((volume) => volume.name).concat('data'));
          for (const mount of container.volumeMounts) assert.ok(volumes.has(mount.name), mount.name);
        }
      }
      for (const account of of('ServiceAccount'))
        assert.equal(
          (account as { automountServiceAccountToken?: boolean }).automountServiceAccountToken,
          false,
        );
    });

    test('what runs our image exists, and is set up by settings that exist with values that they take', () => {
      assert.deepEqual(
        ours(manifests).map(({ component }) => component),
        components[file as keyof typeof components],
      );
      for (const { component, container } of ours(manifests)) {
        assert.equal(container.image, `logloom:${version}`);
        const [program, main] = container.command!;
        assert.equal(program, 'node');
        assert.ok(existsSync(join(root, main!)), main);
        const given: Record<string, string> = {};
        for (const { name, value, valueFrom } of container.env!) {
          const setting = settings.get(name.replace(/_FILE$/, ''));
          assert.ok(setting, `${component}: ${name}`);
          if (name.endsWith('_FILE') || valueFrom !== undefined)
            assert.ok(setting.secrecy !== 'none', `${component}: ${name} cannot come from a secret`);
          else given[name] = value!;
        }
        assert.equal(parseSettings(given).HOST, '0.0.0.0', component);
      }
    });

    test('ports and probes are those of the code', () => {
      for (const { component, container } of ours(manifests)) {
        const ports = portsOf(container);
        // The canary is a command of its own.
        const main = readFileSync(
          join(
            root,
            component === 'canary' ? 'apps/logloom/src/commands/canary-cli.ts' : container.command![1]!,
          ),
          'utf8',
        );
        const healthPort = component === 'single' ? defaults.LIVE_PORT : Number(/\b91\d\d\b/.exec(main)![0]);
        for (const [probe, path] of [
          ['startupProbe', '/health/live'],
          ['livenessProbe', '/health/live'],
          ['readinessProbe', '/health/ready'],
        ] as const) {
          assert.equal(container[probe]!.httpGet!.path, path, component);
          assert.equal(ports[container[probe]!.httpGet!.port], healthPort, `${component} ${probe}`);
        }
        const metricsPort = container.env!.find(({ name }) => name === 'METRICS_PORT')?.value ?? healthPort;
        assert.equal(ports['metrics'], Number(metricsPort), component);
        if (['single', 'ingest'].includes(component)) assert.equal(ports['ingest'], defaults.INGEST_PORT);
        if (component === 'fanout') assert.equal(ports['live'], defaults.LIVE_PORT);
      }
    });

    test('a pod has the time that its process allows itself to drain, after preStop', () => {
      for (const { component, container, grace } of ours(manifests)) {
        const liveDrainMs = Number(
          container.env!.find(({ name }) => name === 'LIVE_DRAIN_MS')?.value ?? defaults.LIVE_DRAIN_MS,
        );
        const needed = preStopSeconds(container) + drainSeconds + liveDrainMs / 1000;
        assert.ok(grace > needed && grace <= needed + 10, `${component}: ${grace} s for ${needed}`);
      }
    });

    test('every service and policy selects the pods of one component and ports that they have', () => {
      const pods = workloads(manifests).map((manifest) => podOf(manifest));
      const selected = (selector: Record<string, string>): Container => {
        const found = pods.filter(({ labels }) => labelsMatch(selector, labels));
        assert.equal(found.length, 1, JSON.stringify(selector));
        return found[0]!.spec.containers[0]!;
      };
      assert.notEqual(of('Service').length, 0);
      for (const { metadata, spec } of of('Service')) {
        const { selector, ports } = spec as {
          selector: Record<string, string>;
          ports: { targetPort: string }[];
        };
        const known = portsOf(selected(selector));
        for (const { targetPort } of ports) assert.ok(known[targetPort], `${metadata.name}: ${targetPort}`);
      }
      assert.equal(of('NetworkPolicy').length, pods.length);
      for (const { metadata, spec } of of('NetworkPolicy')) {
        const { podSelector, ingress = [] } = spec as {
          podSelector: { matchLabels: Record<string, string> };
          ingress?: { ports: { port: string }[] }[];
        };
        const known = portsOf(selected(podSelector.matchLabels));
        for (const { port } of ingress.flatMap(({ ports }) => ports))
          assert.ok(known[port], `${metadata.name}: ${port}`);
      }
      assert.equal(of('PodDisruptionBudget').length, pods.length);
    });

    test('a service is called by names that the pods behind it answer to', () => {
      for (const { metadata, spec } of of('Service')) {
        const { selector } = spec as { selector: Record<string, string> };
        const behind = ours(manifests).find(
          ({ component }) => component === selector['app.kubernetes.io/component'],
        );
        if (behind === undefined) continue;
        const allowed = behind.container.env!.find(({ name }) => name === 'ALLOWED_HOSTS')!.value!.split(',');
        for (const suffix of ['', '.logloom', '.logloom.svc', '.logloom.svc.cluster.local'])
          assert.ok(allowed.includes(metadata.name + suffix), metadata.name + suffix);
      }
    });
  });
}

test('the canary is known to every pod by the same secret, and reaches the pods that it sends to and looks in', () => {
  const manifests = readManifests(readFileSync(join(plainFolder, 'services-canary.yaml'), 'utf8'));
  const pods = ours(manifests);
  for (const { component, container } of pods) {
    const env = new Map(container.env!.map(({ name, value }) => [name, value]));
    assert.equal(env.get('CANARY'), 'on', component);
    assert.equal(env.get('CANARY_SECRET_FILE'), '/etc/logloom/secrets/CANARY_SECRET', component);
  }
  const env = new Map(
    pods
      .find(({ component }) => component === 'canary')!
      .container.env!.map(({ name, value }) => [name, value]),
  );
  const named = (kind: string, name: string): Record<string, unknown> =>
    manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)!.spec!;
  const { egress } = named('NetworkPolicy', 'logloom-canary') as {
    egress: { ports: { port: string }[]; to?: { podSelector: { matchLabels: Record<string, string> } }[] }[];
  };
  for (const setting of ['CANARY_INGEST_URL', 'CANARY_SEARCH_URL', 'CANARY_VIEWERS_URL']) {
    const { hostname, port } = new URL(env.get(setting)!);
    const { selector, ports } = named('Service', hostname) as {
      selector: Record<string, string>;
      ports: { port: number; targetPort: string }[];
    };
    const { targetPort } = ports.find((open) => open.port === Number(port))!;
    const allowed = egress.filter(({ to }) =>
      to?.some(({ podSelector }) => labelsMatch(podSelector.matchLabels, selector)),
    );
    assert.ok(
      allowed.some(({ ports }) => ports.some(({ port }) => port === targetPort)),
      `${setting}: ${targetPort}`,
    );
  }
  // The port for syslog is closed here: nobody listens there.
  assert.equal(env.get('SYSLOG_PORT'), '0');
  assert.equal(env.get('CANARY_SYSLOG'), undefined);
});

test('the chart has the version of the repository, and every value a default that the schema knows', () => {
  const chart = yaml.parse(readFileSync(join(chartFolder, 'Chart.yaml'), 'utf8')) as Record<string, string>;
  assert.deepEqual([chart['apiVersion'], chart['version'], chart['appVersion']], ['v2', version, version]);
  const { properties } = JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8')) as {
    properties: Record<string, unknown>;
  };
  const values = yaml.parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8')) as object;
  // Helm adds it to every chart's values.
  assert.deepEqual(
    Object.keys(properties).filter((name) => name !== 'global'),
    Object.keys(values),
  );
});

test('what operators and Prometheus ask for is on no port that the outside reaches', () => {
  for (const file of Object.keys(plainManifests)) {
    const manifests = readManifests(readFileSync(join(plainFolder, file), 'utf8'));
    for (const { kind, metadata, spec } of manifests)
      if (
        kind === 'Service' &&
        /-(ingest|viewers|syslog|syslog-tls|otlp-grpc|forward|gelf)$/.test(metadata.name)
      )
        assert.ok(!JSON.stringify(spec).includes('metrics'), metadata.name);
    // By default nobody may read them: networkPolicy.metricsFrom is empty.
    for (const { kind, metadata, spec } of manifests)
      if (kind === 'NetworkPolicy') assert.ok(!JSON.stringify(spec).includes('metrics'), metadata.name);
  }
});

test('the page in front is served as by the one of the compose file', () => {
  const significant = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      // Here the names of services stand for addresses that stay.
      .filter((line) => !/^(resolver|set|proxy_pass|listen) /.test(line));
  const compose = readFileSync(join(root, 'infra/compose/nginx.conf'), 'utf8');
  const chart = readFileSync(join(chartFolder, 'files/front.conf'), 'utf8');
  assert.deepEqual(significant(chart), significant(compose));
  const image = /image: (nginxinc\S+)/;
  const composeFile = readFileSync(join(root, 'infra/compose/compose.yaml'), 'utf8');
  const values = readFileSync(join(chartFolder, 'values.yaml'), 'utf8');
  assert.equal(image.exec(values)![1], image.exec(composeFile)![1]);
});
