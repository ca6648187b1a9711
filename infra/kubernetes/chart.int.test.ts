import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '@logloom/testing';
import { defaultPorts } from '../../services/ingest/src/default-ports.ts';
import { goTool } from '../local/go-tool.ts';
import { runCommand } from '../local/run-command.ts';
import { chartFolder, plainFolder, plainManifest, plainManifests, renderChart } from './plain-manifests.ts';
import { cases } from './testing/cases.ts';
import { podOf, readManifests, workloads, type Manifest } from './testing/manifest.ts';
import { writeKubernetesSchemas, writeOperatorSchemas } from './testing/object-schemas.ts';

const skip =
  process.env['LOGLOOM_FULL'] === '1'
    ? false
    : 'builds Helm and kubeconform, minutes: LOGLOOM_FULL=1 runs it';
const signal = AbortSignal.timeout(1_800_000);

const anonymous = ['--set', 'auth.viewers.allowAnonymous=true,auth.senders.allowAnonymous=true'];
const kindsOf = (manifests: readonly Manifest[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind } of manifests) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

/** The canary's environment. */
function canarySettings(manifests: readonly Manifest[]): Map<string, string | undefined> {
  const manifest = workloads(manifests).find(({ metadata }) => metadata.name === 'logloom-canary')!;
  return new Map(podOf(manifest).spec.containers[0]!.env!.map(({ name, value }) => [name, value]));
}

describe('with Helm', { skip }, () => {
  const helm = (): Promise<string> => goTool('helm', signal);
  const rendered = async (name: string, more: readonly string[] = []): Promise<Manifest[]> =>
    readManifests(await renderChart(await helm(), cases[name]!, more));

  test('the chart passes its lint with every file of values', async () => {
    for (const files of [[], ...Object.values(cases)]) {
      const values = files.flatMap((file) => ['--values', join(import.meta.dirname, 'values', file)]);
      await runCommand(await helm(), ['lint', '--strict', chartFolder, ...values]);
    }
  });

  for (const [file, values] of Object.entries(plainManifests))
    test(`plain/${file} is what the chart makes`, async () => {
      assert.equal(
        readFileSync(join(plainFolder, file), 'utf8'),
        await plainManifest(await helm(), values),
        'run: node infra/kubernetes/render.ts',
      );
    });

  test('each file of values brings what it is for', async () => {
    const hpa = kindsOf(await rendered('hpa'));
    assert.equal(hpa['HorizontalPodAutoscaler'], 4);
    const keda = kindsOf(await rendered('keda'));
    assert.equal(keda['ScaledObject'], 4);
    assert.equal(keda['HorizontalPodAutoscaler'], undefined);
    const hardened = kindsOf(await rendered('hardened'));
    for (const [kind, count] of Object.entries({
      Deployment: 5,
      Service: 11,
      Ingress: 2,
      ServiceMonitor: 4,
      NetworkPolicy: 6,
      PodDisruptionBudget: 5,
      CronJob: 1,
      ValidatingAdmissionPolicy: 1,
    }))
      assert.equal(hardened[kind], count, kind);
  });

  test('a receiver at a port of its own has a service, a setting and a way in where it is enabled, and is off else', async () => {
    const ports = { SYSLOG_PORT: 5514, ...defaultPorts };
    for (const [name, isOn] of [
      ['hardened', true],
      ['single, hardened', true],
      ['services', false],
      ['single', false],
    ] as const) {
      const manifests = await rendered(name);
      const component = name.startsWith('single') ? 'single' : 'ingest';
      const of = (kind: string): Manifest[] =>
        manifests.filter(
          ({ kind: found, metadata }) =>
            found === kind && metadata.labels!['app.kubernetes.io/component'] === component,
        );
      const { env, ports: open } = podOf(
        workloads(of(component === 'single' ? 'StatefulSet' : 'Deployment'))[0]!,
      ).spec.containers[0]!;
      const policy = JSON.stringify(of('NetworkPolicy')[0]!.spec!['ingress']);
      const served = of('Service').flatMap(
        ({ spec }) => spec!['ports'] as { port: number; targetPort: string; protocol: string }[],
      );
      for (const [setting, port] of Object.entries(ports)) {
        const what = `${name}: ${setting}`;
        assert.equal(env!.find((each) => each.name === setting)?.value, isOn ? String(port) : '0', what);
        const opened = open!.filter(({ containerPort }) => containerPort === port);
        assert.equal(opened.length > 0, isOn, what);
        assert.deepEqual(
          served.filter((each) => each.port === port).map(({ targetPort }) => targetPort),
          opened.map((each) => each.name),
          what,
        );
        for (const each of opened) assert.ok(policy.includes(`"port":"${each.name}"`), what);
      }
    }
  });

  test('a deployment that is scaled by something else has no number of replicas', async () => {
    for (const { kind, metadata, spec } of await rendered('keda'))
      if (kind === 'Deployment')
        assert.equal(spec!['replicas'], metadata.name === 'logloom-front' ? 2 : undefined, metadata.name);
  });

  test('the canary is let in where every peer is named, and looks where it is told to', async () => {
    const hardened = await rendered('canary, hardened', [
      '--set',
      'correlator.settings.CORRELATION_IDLE_MS=9000',
    ]);
    assert.equal(kindsOf(hardened)['ServiceMonitor'], 5);
    const policy = (component: string): string =>
      JSON.stringify(
        hardened.find(
          ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === `logloom-${component}`,
        )!.spec!['ingress'] ?? [],
      );
    for (const component of ['ingest', 'indexer', 'fanout'])
      assert.match(policy(component), /"app.kubernetes.io\/component":"canary"/, component);
    for (const component of ['correlator', 'front', 'canary'])
      assert.doesNotMatch(policy(component), /canary/, component);
    const settings = canarySettings(hardened);
    assert.equal(settings.get('CANARY_SYSLOG'), 'logloom-syslog:5514');
    assert.equal(settings.get('CORRELATION_IDLE_MS'), '9000');
    const around = ['--set', 'canary.settings.CANARY_INGEST_URL=https://send.logs.example.com'];
    assert.equal(
      canarySettings(await rendered('canary', around)).get('CANARY_INGEST_URL'),
      'https://send.logs.example.com',
    );
    const single = await rendered('single', ['--set', 'canary.enabled=true']);
    assert.deepEqual(
      workloads(single).map(
        (manifest) => podOf(manifest).spec.containers[0]!.env!.find(({ name }) => name === 'CANARY')?.value,
      ),
      ['on'],
    );
  });

  test('large numbers stay digits', async () => {
    const text = await renderChart(
      await helm(),
      ['services.yaml'],
      ['--set', 'settings.LIVE_BUFFER_BYTES=536870912'],
    );
    assert.match(text, /LIVE_BUFFER_BYTES\n\s+value: "536870912"/);
  });

  for (const [what, more, message] of [
    [
      'nobody said who may watch',
      ['--set', 'auth.senders.allowAnonymous=true'],
      /auth\.viewers: set jwksUrl/,
    ],
    [
      'nobody said who may send',
      ['--set', 'auth.viewers.allowAnonymous=true'],
      /auth\.senders: set keysSecret/,
    ],
    ['a value has a wrong name', [...anonymous, '--set', 'replica=2'], /replica/],
    ['the chart sets it itself', [...anonymous, '--set', 'settings.LIVE_PORT=80'], /LIVE_PORT/],
    ['the canary is a setting', [...anonymous, '--set', 'settings.CANARY=on'], /CANARY/],
    ['an engine is missing', [...anonymous, '--set', 'mode=services'], /settings\.KAFKA_BROKERS/],
  ] as const)
    test(`it is not rendered where ${what}`, async () => {
      await assert.rejects(renderChart(await helm(), [], more), message);
    });

  for (const [what, more, message] of [
    ['the canary has no secret', ['--set', 'canary.enabled=true'], /CANARY_SECRET/],
    ['indexers share no key', ['--set', 'secretSettings.CURSOR_KEY=null'], /CURSOR_KEY/],
    ['readers outnumber partitions', ['--set', 'correlator.replicas=13'], /LOG_PARTITIONS is 12/],
    ['syslog over TLS has no certificate', ['--set', 'services.syslogTls.enabled=true'], /SYSLOG_TLS_CERT/],
    ['both hosts are not named', ['--set', 'ingress.enabled=true'], /ingress\.viewers\.host/],
  ] as const)
    test(`the services are not rendered where ${what}`, async () => {
      await assert.rejects(renderChart(await helm(), ['services.yaml'], more), message);
    });
});

describe('with kubeconform', { skip }, () => {
  for (const version of ['1.31.0', '1.37.0'])
    test(`every file of values makes what Kubernetes ${version} takes`, async (t) => {
      const found = spawnSync('python3', ['-c', 'import kubernetes_validate as k; print(k.__path__[0])']);
      if (found.status !== 0)
        return t.skip('engine missing: the schemas of Kubernetes (pip install kubernetes-validate==1.37.0)');
      const [helm, kubeconform] = [await goTool('helm', signal), await goTool('kubeconform', signal)];
      const folder = temporaryFolder('kubeconform').path;
      t.after(() => rmSync(folder, { recursive: true }));
      await writeOperatorSchemas(folder, signal);
      const location = ['-schema-location', `${folder}/{{ .ResourceKind }}{{ .KindSuffix }}.json`];
      const file = join(folder, 'manifests.yaml');
      for (const [name, files] of Object.entries(cases)) {
        const text = await renderChart(helm, files, ['--kube-version', version]);
        const manifests = readManifests(text);
        writeKubernetesSchemas(String(found.stdout).trim(), version, manifests, folder);
        writeFileSync(file, text);
        const said = await runCommand(kubeconform, ['-strict', '-summary', ...location, file]);
        const valid = Number(/Valid: (\d+), Invalid: 0, Errors: 0, Skipped: 0/.exec(said)?.[1]);
        assert.equal(valid, manifests.length, `${name}: ${said}`);
      }
      // What is wrong is found, in Kubernetes' own objects and in the others.
      for (const [right, wrong] of [
        ['minReadySeconds', 'minReadySecond'],
        ['maxReplicaCount', 'maxReplicas'],
      ] as const) {
        writeFileSync(file, (await renderChart(helm, cases['keda']!)).replaceAll(right, wrong));
        await assert.rejects(runCommand(kubeconform, ['-strict', ...location, file]), new RegExp(wrong));
      }
    });
});
