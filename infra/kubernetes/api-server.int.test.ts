import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { builtGoTool, goTool } from '../local/go-tool.ts';
import { hasCommand, runCommand } from '../local/run-command.ts';
import { chartFolder, plainFolder, plainManifests, renderChart } from './plain-manifests.ts';
import { ApiServer, type ApiAnswer, type ApiObject } from './testing/api-server.ts';
import { cases } from './testing/cases.ts';
import { readManifests } from './testing/manifest.ts';
import { operatorDefinitions } from './testing/object-schemas.ts';

const program = builtGoTool('kube-apiserver');
const signal = AbortSignal.timeout(1_800_000);

async function whyNot(): Promise<string | false> {
  if (process.env['LOGLOOM_FULL'] !== '1')
    return "starts etcd and Kubernetes' API server: LOGLOOM_FULL=1 runs it";
  if (program === undefined) return 'kube-apiserver is not built: node infra/kubernetes/build-api-server.ts';
  if (!(await hasCommand('etcd'))) return 'etcd is not installed: apt-get install etcd-server';
  return false;
}

const objectsOf = (text: string): ApiObject[] => readManifests(text) as unknown as ApiObject[];
const rendered = async (name: string, more: readonly string[] = []): Promise<ApiObject[]> =>
  objectsOf(await renderChart(await goTool('helm', signal), cases[name]!, more));

describe("Kubernetes' API server", { skip: await whyNot() }, () => {
  let server: ApiServer;

  before(async () => {
    server = await ApiServer.start(program!, signal);
    // What is no part of Kubernetes: the operators' own definitions.
    for (const definition of await operatorDefinitions(signal)) {
      const { metadata } = definition;
      const object = { ...definition, metadata: { name: metadata.name } };
      accepted(await server.apply(object, ''), metadata.name);
      const path = await server.path(object, '');
      await eventually(`${metadata.name} is established`, async () => {
        const { body } = await server.ask({ method: 'GET', path });
        const { conditions = [] } = body['status'] as { conditions?: { type: string; status: string }[] };
        return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
      });
    }
  });
  after(() => server?.[Symbol.asyncDispose]());

  function accepted({ status, body, warnings }: ApiAnswer, what: string): ApiObject {
    assert.ok(status === 200 || status === 201, `${what}: ${status} ${body.message}`);
    assert.deepEqual(warnings, [], what);
    return body;
  }

  /** Applies all objects; resolves with their versions by kind and name. */
  async function applyAll(objects: readonly ApiObject[], namespace: string): Promise<Map<string, string>> {
    const of = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    accepted(await server.apply(of, namespace), namespace);
    const versions = new Map<string, string>();
    for (const object of objects) {
      const what = `${object.kind} ${object.metadata.name}`;
      const stored = accepted(await server.apply(object, namespace), what);
      versions.set(what, stored.metadata.resourceVersion!);
    }
    assert.equal(versions.size, objects.length);
    return versions;
  }

  const namespaceOf = (name: string): string => name.replaceAll(/[^a-z]+/g, '-');

  for (const file of Object.keys(plainManifests))
    test(`takes plain/${file}, and finds nothing to change when it comes again`, async () => {
      const objects = objectsOf(readFileSync(join(plainFolder, file), 'utf8'));
      const namespace = namespaceOf(`plain-${file}`);
      assert.deepEqual(await applyAll(objects, namespace), await applyAll(objects, namespace));
    });

  for (const name of Object.keys(cases))
    test(`takes the chart with the values of ${name}, and finds nothing to change when it comes again`, async () => {
      const objects = await rendered(name);
      const namespace = namespaceOf(name);
      assert.deepEqual(await applyAll(objects, namespace), await applyAll(objects, namespace));
    });

  test('refuses a field that it does not know, also of an operator', async () => {
    const objects = await rendered('keda');
    for (const kind of ['Deployment', 'ScaledObject']) {
      const object = objects.find((each) => each.kind === kind)!;
      const wrong = { ...object, spec: { ...(object['spec'] as object), replicaz: 2 } };
      const { status, body } = await server.apply(wrong, 'default');
      assert.ok(status >= 400 && body.message!.includes('replicaz'), `${kind}: ${status} ${body.message}`);
    }
  });

  test('takes an upgrade from the defaults to every other case, and back', async () => {
    for (const [from, ...to] of [
      ['services', 'hpa', 'keda', 'canary', 'hardened', 'canary, hardened', 'services'],
      ['single', 'single, hardened', 'single'],
    ] as const) {
      const first = await applyAll(await rendered(from), `upgrade-${from}`);
      for (const name of to) await applyAll(await rendered(name), `upgrade-${from}`);
      assert.notEqual(first.size, 0);
    }
  });

  test('takes changed numbers, images and labels of pods', async () => {
    const changed = [
      'image.tag=0.2.0',
      'preStopSeconds=9',
      'drainSeconds=60',
      'settings.LOG_LEVEL=debug',
      'ingest.replicas=4',
      'ingest.podLabels.team=logs',
      'fanout.resources.limits.memory=2Gi',
      'services.syslog.enabled=true',
      'services.gelf.enabled=true',
      'services.otlpGrpc.enabled=true',
      'services.ingest.type=LoadBalancer',
      'front.image=nginxinc/nginx-unprivileged:1.29.0-alpine',
      'secretSettingsAs=env',
      'podDeletionCost.enabled=true',
    ].flatMap((value) => ['--set', value]);
    const before = await applyAll(await rendered('services'), 'changed');
    const after = await applyAll(await rendered('services', changed), 'changed');
    assert.notEqual(after.get('Deployment logloom-ingest'), before.get('Deployment logloom-ingest'));
    assert.equal(after.get('ServiceAccount logloom'), before.get('ServiceAccount logloom'));
  });

  for (const [name, changed] of [
    ['single', 'single, hardened'],
    ['services', 'canary, hardened'],
  ] as const)
    test(`Helm installs ${name}, says how to reach it, upgrades it, rolls it back and removes it`, async () => {
      const helm = await goTool('helm', signal);
      const namespace = `helm-${name}`;
      const run = (...args: string[]): Promise<string> =>
        runCommand(helm, [...args, '--kubeconfig', server.kubeconfig, '--namespace', namespace], signal);
      const values = (of: string): string[] =>
        cases[of]!.flatMap((file) => ['--values', join(import.meta.dirname, 'values', file)]);
      const notes = await run('install', 'logloom', chartFolder, '--create-namespace', ...values(name));
      const reached = [...notes.matchAll(/--namespace (\S+) port-forward service\/(\S+) (\d+)/g)];
      assert.equal(reached.length, 2, notes);
      for (const [, where, service, port] of reached) {
        assert.equal(where, namespace);
        const path = `/api/v1/namespaces/${namespace}/services/${service}`;
        const { spec } = accepted(await server.ask({ method: 'GET', path }), service!) as unknown as {
          spec: { ports: { port: number }[] };
        };
        assert.ok(
          spec.ports.some((open) => open.port === Number(port)),
          `${service}: ${port}`,
        );
      }
      await run('upgrade', 'logloom', chartFolder, ...values(changed));
      await run('rollback', 'logloom', '1');
      assert.equal((await run('get', 'manifest', 'logloom')).includes('kind: ServiceMonitor'), false);
      await run('uninstall', 'logloom');
      for (const kind of ['deployments', 'statefulsets', 'networkpolicies']) {
        const group = kind === 'networkpolicies' ? 'networking.k8s.io' : 'apps';
        const path = `/apis/${group}/v1/namespaces/${namespace}/${kind}`;
        const { body } = await server.ask({ method: 'GET', path });
        assert.deepEqual(body['items'], [], kind);
      }
    });

  test('refuses another size of the volume of the single mode, as docs/kubernetes.md says', async () => {
    await applyAll(await rendered('single'), 'volume');
    const [larger] = (await rendered('single', ['--set', 'single.storage.size=40Gi'])).filter(
      ({ kind }) => kind === 'StatefulSet',
    );
    const { status, body } = await server.apply(larger!, 'volume');
    assert.equal(status, 422);
    assert.match(body.message!, /volumeClaimTemplates: .*: field is immutable$/);
  });

  test("lets the job for deletion costs change that of the fan-out's pods, and nothing else", async () => {
    const objects = await rendered('hardened');
    await applyAll(objects, 'logloom');
    const account = 'system:serviceaccount:logloom:logloom-deletion-cost';
    // Nothing runs deployments here.
    for (const component of ['fanout', 'ingest']) {
      const { spec } = objects.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === `logloom-${component}`,
      )! as unknown as { spec: { template: { metadata: object; spec: object } } };
      const { metadata, spec: pod } = spec.template;
      const named = { ...metadata, name: component, annotations: { of: 'others' } };
      accepted(
        await server.apply({ apiVersion: 'v1', kind: 'Pod', metadata: named, spec: pod }, 'logloom'),
        component,
      );
    }
    const pods = '/api/v1/namespaces/logloom/pods';
    const patch = (pod: string, body: object): Promise<ApiAnswer> =>
      server.ask({
        method: 'PATCH',
        path: `${pods}/${pod}`,
        body,
        type: 'application/merge-patch+json',
        as: account,
      });
    const cost = (viewers: string): object => ({
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': viewers } },
    });
    // The server takes up a new policy within moments.
    await eventually('the policy is in force', async () => {
      const { status, body } = await patch('ingest', cost('1'));
      return status === 422 && body.message!.includes('only pods of the fan-out');
    });
    accepted(await patch('fanout', cost('120')), 'first cost');
    accepted(await patch('fanout', cost('90')), 'second cost');
    for (const wrong of [
      { metadata: { annotations: { of: 'the job' } } },
      { metadata: { annotations: { of: null } } },
      { metadata: { annotations: { more: 'x' } } },
      { metadata: { labels: { more: 'x' } } },
      { metadata: { finalizers: ['example.com/x'] } },
      { spec: { containers: [{ name: 'fanout', image: 'other' }] } },
    ]) {
      const { status, body } = await patch('fanout', wrong);
      assert.ok(status === 422 || status === 403, `${JSON.stringify(wrong)}: ${status} ${body.message}`);
    }
    accepted(await server.ask({ method: 'GET', path: pods, as: account }), 'list');
    for (const [method, path] of [
      ['DELETE', `${pods}/fanout`],
      ['GET', '/api/v1/namespaces/logloom/secrets'],
      ['GET', '/api/v1/namespaces/default/pods'],
    ] as const)
      assert.equal((await server.ask({ method, path, as: account })).status, 403, `${method} ${path}`);
    // Others are not held back by it.
    const { body, status } = await server.ask({
      method: 'PATCH',
      path: `${pods}/ingest`,
      body: { metadata: { labels: { more: 'x' } } },
      type: 'application/merge-patch+json',
    });
    assert.equal(status, 200, body.message);
  });
});
