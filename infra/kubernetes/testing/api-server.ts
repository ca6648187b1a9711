import { rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from '@logloom/testing';
import { PortPool } from '../../local/port-pool.ts';
import { ServerProcess } from '../../local/server-process.ts';
import { createStackSecurity, type StackSecurity } from '../../local/stack-security.ts';

export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; resourceVersion?: string; [field: string]: unknown };
  [field: string]: unknown;
}

export interface ApiAnswer {
  status: number;
  body: ApiObject & { message?: string };
  /** What the server warns of: unknown fields, deprecated versions. */
  warnings: string[];
}

interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: object;
  type?: string;
  /** Asks as this user, who has the groups of a service account. */
  as?: string;
}

interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/** Kubernetes' API server with its etcd, on this machine: objects are validated, admitted and stored, and nothing runs them. */
export class ApiServer implements AsyncDisposable {
  /** The file by which Helm and kubectl reach it as an administrator. */
  readonly kubeconfig: string;
  readonly #servers: readonly ServerProcess[];
  readonly #release: () => Promise<void>;
  readonly #tls: { ca: Buffer; cert: Buffer; key: Buffer };
  readonly #port: number;
  readonly #resources = new Map<string, Promise<ApiResource[]>>();

  private constructor(
    kubeconfig: string,
    servers: readonly ServerProcess[],
    tls: { ca: Buffer; cert: Buffer; key: Buffer },
    release: () => Promise<void>,
  ) {
    this.kubeconfig = kubeconfig;
    this.#servers = servers;
    this.#port = servers.at(-1)!.port;
    this.#tls = tls;
    this.#release = release;
  }

  /** Starts both, with certificates that are made for them. */
  static async start(program: string, signal: AbortSignal): Promise<ApiServer> {
    const folder = temporaryFolder('api-server').path;
    const pool = new PortPool();
    const security = await createStackSecurity(join(folder, 'security'), signal);
    const admin = await security.issue('admin', { subject: '/O=system:masters/CN=admin' });
    const [client, peer, port] = [await pool.take(), await pool.take(), await pool.take()];
    const [ca, cert, key] = await Promise.all(
      [security.ca, admin.cert, admin.key].map((file) => readFile(file)),
    );
    const kubeconfig = join(folder, 'kubeconfig.json');
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'local',
        contexts: [{ name: 'local', context: { cluster: 'local', user: 'admin' } }],
        clusters: [
          {
            name: 'local',
            cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': security.ca },
          },
        ],
        users: [{ name: 'admin', user: { 'client-certificate': admin.cert, 'client-key': admin.key } }],
      }),
    );
    const server = new ApiServer(
      kubeconfig,
      [etcd(folder, client, peer, signal), apiServer(program, folder, client, port, security, signal)],
      { ca: ca!, cert: cert!, key: key! },
      async () => {
        await pool.release();
        rmSync(folder, { recursive: true });
      },
    );
    try {
      for (const each of server.#servers) await each.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Asks as an administrator, or as the user that the request names. */
  async ask({ method, path, body, type = 'application/json', as }: ApiRequest): Promise<ApiAnswer> {
    const headers = {
      accept: 'application/json',
      ...(body && { 'content-type': type }),
      ...(as && { 'impersonate-user': as, 'impersonate-group': 'system:authenticated' }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
    const asked = request(
      { host: '127.0.0.1', port: this.#port, method, path, headers, ...this.#tls },
      (response) => {
        const { statusCode, headersDistinct } = response;
        void text(response).then((answer) => {
          const parsed = (
            answer.startsWith('{') ? JSON.parse(answer) : { message: answer }
          ) as ApiAnswer['body'];
          resolve({ status: statusCode!, body: parsed, warnings: headersDistinct['warning'] ?? [] });
        }, reject);
      },
    );
    asked.once('error', reject);
    asked.end(body && JSON.stringify(body));
    return promise;
  }

  /** Applies an object as `kubectl apply --server-side --validate=strict` does: a field that it does not know is refused. */
  async apply(object: ApiObject, namespace: string): Promise<ApiAnswer> {
    const query = 'fieldManager=helm&force=true&fieldValidation=Strict';
    const path = `${await this.path(object, namespace)}?${query}`;
    return this.ask({ method: 'PATCH', path, body: object, type: 'application/apply-patch+yaml' });
  }

  /** Where an object is. Throws when the server knows no such kind. */
  async path({ apiVersion, kind, metadata }: ApiObject, namespace: string): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const known = this.#resources.get(root) ?? this.#discover(root);
    this.#resources.set(root, known);
    const resource = (await known).find((each) => each.kind === kind && !each.name.includes('/'));
    if (resource === undefined) throw new Error(`the API server knows no ${kind} of ${apiVersion}`);
    const within = resource.namespaced ? `/namespaces/${namespace}` : '';
    return `${root}${within}/${resource.name}/${metadata.name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.toReversed()) await server.stop();
    await this.#release();
  }

  async #discover(root: string): Promise<ApiResource[]> {
    const { body } = await this.ask({ method: 'GET', path: root });
    return (body['resources'] ?? []) as ApiResource[];
  }
}

function etcd(folder: string, client: number, peer: number, signal: AbortSignal): ServerProcess {
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  return new ServerProcess({
    name: 'etcd',
    port: client,
    command: 'etcd',
    args: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${url(client)}`,
      `--advertise-client-urls=${url(client)}`,
      `--listen-peer-urls=${url(peer)}`,
      `--initial-advertise-peer-urls=${url(peer)}`,
      `--initial-cluster=default=${url(peer)}`,
      '--unsafe-no-fsync',
    ],
    logFile: join(folder, 'etcd.log'),
    isReady: () => isHealthy(`${url(client)}/health`),
    signal,
  });
}

function apiServer(
  program: string,
  folder: string,
  etcdPort: number,
  port: number,
  { ca, server }: StackSecurity,
  signal: AbortSignal,
): ServerProcess {
  return new ServerProcess({
    name: 'kube-apiserver',
    port,
    command: program,
    args: [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, 'cert')}`,
      `--tls-cert-file=${server.cert}`,
      `--tls-private-key-file=${server.key}`,
      `--client-ca-file=${ca}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${server.cert}`,
      `--service-account-signing-key-file=${server.key}`,
      '--authorization-mode=RBAC',
      // Its own endpoint would be a loopback address, which it refuses.
      '--endpoint-reconciler-type=none',
    ],
    logFile: join(folder, 'kube-apiserver.log'),
    isReady: async () => isReady(port, await readFile(ca)),
    signal,
  });
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** /readyz is open to everybody, by a role that the server makes at its start. */
function isReady(port: number, ca: Buffer): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  request({ host: '127.0.0.1', port, path: '/readyz', ca }, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  })
    .once('error', () => resolve(false))
    .end();
  return promise;
}
