import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortPool } from '../../local/port-pool.ts';
import type { Container, PodSpec, Probe } from './manifest.ts';

const root = join(import.meta.dirname, '../../..');
/** The setting that moves each of our ports. */
const portSettings: Readonly<Record<string, string>> = {
  ingest: 'INGEST_PORT',
  viewers: 'LIVE_PORT',
  live: 'LIVE_PORT',
  metrics: 'HEALTH_PORT',
  api: 'HEALTH_PORT',
};

export interface LocalPodOptions {
  /** Settings in the place of those that lead into a cluster; undefined: without it. */
  settings?: Record<string, string | undefined>;
  /** Where folders of the container lie on this machine. */
  mounts: Record<string, string>;
  /** Likewise, those that it may write to. */
  writable?: Record<string, string>;
  /** In the place of the container's /tmp. */
  tmp: string;
}

/**
 * The command with a root file system that it can only write to in these folders, and without capabilities: readOnlyRootFilesystem and
 * securityContext of the container.
 */
function confined(command: readonly string[], writable: readonly string[]): [string, ...string[]] {
  const folders = writable.map((folder) => `mount --bind '${folder}' '${folder}'`);
  const script = ['mount --make-rprivate /', ...folders, 'mount -o remount,bind,ro /', 'exec "$@"'].join(
    ' && ',
  );
  const drop = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...drop, ...command];
}

const [unshare, ...nothing] = confined(['true'], []);
/** Whether this user may arrange for that. Elsewhere the command runs as it is. */
const canConfine = spawnSync(unshare, nothing).status === 0;

/** How a container ended. */
export interface Ending {
  /** Null: it was killed. */
  code: number | null;
  /** From the order to stop on, preStop included. */
  seconds: number;
}

/**
 * The first container of a pod as a kubelet treats it, but without an image: its command and environment, its read-only file system and its
 * lack of rights, its probes, its preStop, TERM, and KILL when the grace period is over. Its ports are free ones of this machine.
 */
export class LocalPod implements AsyncDisposable {
  readonly #spec: PodSpec;
  readonly #container: Container;
  readonly #ports = new Map<string, number>();
  readonly #pool: PortPool;
  readonly #child: ChildProcess;
  /** A command in the container: confined, and with its environment. */
  readonly #execute: (command: readonly string[]) => ChildProcess;
  #errors = '';

  private constructor(spec: PodSpec, ports: Map<string, number>, pool: PortPool, options: LocalPodOptions) {
    this.#spec = spec;
    this.#container = spec.containers[0]!;
    this.#ports = ports;
    this.#pool = pool;
    const local = (text: string): string =>
      Object.entries({ ...options.mounts, ...options.writable }).reduce(
        (path, [from, to]) => path.replace(from, to),
        text,
      );
    const env: Record<string, string> = { NODE_ENV: 'production' };
    for (const { name, value } of this.#container.env!) if (value !== undefined) env[name] = local(value);
    for (const [name, port] of ports) {
      const isAlone = name === 'metrics' && env['METRICS_PORT'] !== undefined;
      env[isAlone ? 'METRICS_PORT' : portSettings[name]!] = String(port);
    }
    for (const [name, value] of Object.entries(options.settings ?? {})) {
      // A secret in the container is a file that only a cluster mounts.
      delete env[`${name}_FILE`];
      if (value === undefined) delete env[name];
      else env[name] = value;
    }
    env['TMPDIR'] = options.tmp;
    // The image's programs: a shell, its tools, and Node.
    env['PATH'] = `${dirname(process.execPath)}:/usr/bin:/bin`;
    const writable = [options.tmp, ...Object.values(options.writable ?? {})];
    this.#execute = (command) => {
      const plain = command as [string, ...string[]];
      const [program, ...words] = canConfine ? confined(plain, writable) : plain;
      return spawn(program, words, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
    };
    this.#child = this.#execute(this.#container.command!);
    this.#child.stderr!.on('data', (data: Buffer) => (this.#errors += data.toString()));
  }

  /** Starts it. `readyWithin` and `stop` say how it does. */
  static async start(spec: PodSpec, options: LocalPodOptions): Promise<LocalPod> {
    const pool = new PortPool();
    const ports = new Map<string, number>();
    for (const { name } of spec.containers[0]!.ports!)
      if (portSettings[name] !== undefined) ports.set(name, await pool.take());
    return new LocalPod(spec, ports, pool, options);
  }

  /** Where a port of the container is. */
  url(port: string): string {
    return `http://127.0.0.1:${this.#ports.get(port)}`;
  }

  /** The status that a probe gets; undefined where there is no response. As a kubelet asks: by address, following nothing. */
  async probe(which: 'startupProbe' | 'livenessProbe' | 'readinessProbe'): Promise<number | undefined> {
    const { httpGet, timeoutSeconds = 1 } = this.#probe(which);
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const asked = request(
      `${this.url(httpGet!.port)}${httpGet!.path}`,
      // The name is the pod's address.
      { headers: { host: '10.42.0.7', 'user-agent': 'kube-probe/1.31' }, timeout: timeoutSeconds * 1000 },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end();
    return promise;
  }

  /** Resolves when the startup probe has succeeded and the readiness probe after it. Throws when a kubelet would have killed it before. */
  async untilReady(): Promise<void> {
    const { failureThreshold = 3 } = this.#probe('startupProbe');
    for (let failures = 0; (await this.probe('startupProbe')) !== 200; failures++) {
      if (failures >= failureThreshold)
        throw new Error(`not started after ${failures} probes: ${this.#errors}`);
      await this.#pause('startupProbe');
    }
    while ((await this.probe('readinessProbe')) !== 200) {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#errors}`);
      // Sooner than the kubelet would: the test has nothing else to wait for.
      await sleep(100);
    }
  }

  /** Stops it as a kubelet does. `whileStopping` is called when preStop has begun, before TERM. */
  async stop(whileStopping: () => Promise<void>): Promise<Ending> {
    const startedAt = performance.now();
    const deadline = sleep(this.#spec.terminationGracePeriodSeconds * 1000, 'late', { ref: false });
    const exited = once(this.#child, 'exit');
    await Promise.all([this.#preStop(), whileStopping()]);
    this.#child.kill('SIGTERM');
    if ((await Promise.race([exited, deadline])) === 'late') this.#child.kill('SIGKILL');
    const [code] = (await exited) as [number | null];
    return { code, seconds: (performance.now() - startedAt) / 1000 };
  }

  /** What it wrote to standard error so far. */
  get errors(): string {
    return this.#errors;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    await this.#pool.release();
  }

  /** Throws with what a command of preStop has complained about. */
  async #preStop(): Promise<void> {
    const { preStop } = this.#container.lifecycle!;
    if ('sleep' in preStop) return sleep(preStop.sleep.seconds * 1000);
    const child = this.#execute(preStop.exec.command);
    const ended = once(child, 'exit') as Promise<[number | null]>;
    const [complaints, [code]] = await Promise.all([text(child.stderr!), ended]);
    if (code !== 0 || complaints !== '') throw new Error(`preStop: exit code ${code}: ${complaints}`);
  }

  #probe(which: 'startupProbe' | 'livenessProbe' | 'readinessProbe'): Probe {
    return this.#container[which]!;
  }

  async #pause(which: 'startupProbe'): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#errors}`);
    await sleep(this.#probe(which).periodSeconds * 1000);
  }
}
