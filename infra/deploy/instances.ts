import { setTimeout as sleep } from 'node:timers/promises';
import { label, type Deployment, type Instance, type ServiceName } from './deployment.ts';
import { runCommand } from './run-command.ts';

const pollMs = 100;
const requestLimitMs = 10_000;

/** What each service counts for each event that it has handled. */
const handled: Readonly<Record<ServiceName, string>> = {
  ingest: 'logloom_ingest_events_total',
  correlator: 'logloom_correlator_events_total',
  indexer: 'logloom_indexer_events_total',
  fanout: 'logloom_live_events_total',
};

/** The processes of a deployment: started and stopped by its commands, and asked how they are. */
export class Instances {
  readonly #deployment: Deployment;
  readonly #metricsToken: string | undefined;

  constructor(deployment: Deployment, metricsToken: string | undefined) {
    this.#deployment = deployment;
    this.#metricsToken = metricsToken;
  }

  /** Runs the command that starts it. Throws if that fails. */
  async start(instance: Instance): Promise<void> {
    await this.#run(this.#deployment.start, instance, this.#deployment.readySeconds);
  }

  /** Runs the command that stops it. Throws if that fails, or takes longer than `stopSeconds`. */
  async stop(instance: Instance): Promise<void> {
    await this.#run(this.#deployment.stop, instance, this.#deployment.stopSeconds);
  }

  /** Whether anything responds there. */
  async isUp({ healthUrl }: Instance): Promise<boolean> {
    const response = await fetch(`${healthUrl}/health/live`, {
      signal: AbortSignal.timeout(requestLimitMs),
    }).catch(() => undefined);
    await response?.body?.cancel();
    return response !== undefined;
  }

  /** Resolves when it is ready. Throws with its last response when that takes longer than `readySeconds`, and when the signal aborts. */
  async untilReady(instance: Instance, signal: AbortSignal): Promise<void> {
    const { readySeconds } = this.#deployment;
    const deadline = AbortSignal.timeout(readySeconds * 1000);
    let last = 'no response';
    while (!deadline.aborted) {
      signal.throwIfAborted();
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(requestLimitMs)]);
        const response = await fetch(`${instance.healthUrl}/health/ready`, { signal: limit });
        const body = await response.text();
        if (response.ok) return;
        last = `${response.status} ${body.slice(0, 300)}`;
      } catch (error) {
        last = reasonOf(error);
      }
      await sleep(pollMs, undefined, { signal });
    }
    throw new Error(`${label(instance)} is not ready after ${readySeconds} s: ${last}`);
  }

  /**
   * How many events it has handled since its start. A busy process may take its time to say: it is asked until the signal aborts. Throws
   * when it refuses, and what has failed when the signal aborts.
   */
  async handledEvents(instance: Instance, signal: AbortSignal): Promise<number> {
    const { metricsUrl, service } = instance;
    for (;;) {
      const response = await this.#metrics(metricsUrl, signal).catch((error: unknown) => error as Error);
      if (response instanceof Error) {
        if (signal.aborted) throw new Error(`${metricsUrl}: ${reasonOf(response)}`, { cause: response });
        await sleep(pollMs);
        continue;
      }
      const { status, text } = response;
      if (status !== 200) throw new Error(`${metricsUrl}: ${status} ${text.slice(0, 300)}`);
      const lines = text.matchAll(new RegExp(`^${handled[service]}(?:\\{[^}]*\\})? (\\d+)$`, 'gm'));
      return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
    }
  }

  async #metrics(url: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    const response = await fetch(url, {
      headers: this.#metricsToken === undefined ? {} : { authorization: `Bearer ${this.#metricsToken}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestLimitMs)]),
    });
    return { status: response.status, text: await response.text() };
  }

  async #run(command: string, instance: Instance, limitSeconds: number): Promise<void> {
    const { release, service, name } = instance;
    const variables = { RELEASE: release, SERVICE: service, INSTANCE: name };
    await runCommand(command, variables, limitSeconds * 1000).catch((error: unknown) => {
      throw new Error(`${label(instance)}: ${(error as Error).message}`, { cause: error });
    });
  }
}

/** The innermost reason of a failed fetch. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error & { code?: string } };
  return cause?.code ?? cause?.message ?? message;
}
