import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface CrowdFindings {
  viewers: number;
  /** Events that viewers have not got, all viewers together. */
  missing: number;
  /** Events that a viewer got once more. */
  duplicates: number;
  /** Subscriptions that began or were resumed. */
  connections: number;
  /** Why connections failed, and how often: refused ones among them. */
  failures: Record<string, number>;
  deliveries: number;
  /** The longest that a viewer was without a subscription, from the end of a connection to the next `subscribed`. */
  longestPauseMs: number;
  /** What viewers who miss nothing never get, the first ten: gaps, modes other than full, errors. */
  complaints: string[];
}

export type CrowdRequest = { sent: number };
export type CrowdMessage = { ready: true } | { findings: CrowdFindings };

/** Many viewers of numbered events (numbered-traffic.ts), in a child process. */
export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when all viewers are subscribed: what is sent from now on is theirs. */
  static async open(viewersUrl: string, viewers: number, shares: number): Promise<Crowd> {
    const child = fork(join(import.meta.dirname, 'crowd.child.ts'), [
      viewersUrl,
      String(viewers),
      String(shares),
    ]);
    const crowd = new Crowd(child);
    await crowd.#message();
    return crowd;
  }

  /** What the viewers have got of the events 0 to `sent` - 1. */
  async findings(sent: number): Promise<CrowdFindings> {
    this.#child.send({ sent } satisfies CrowdRequest);
    const message = await this.#message();
    if (!('findings' in message)) throw new Error(JSON.stringify(message));
    return message.findings;
  }

  async #message(): Promise<CrowdMessage> {
    const ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the viewers' process ended with ${code as number}`);
    });
    const [message] = (await Promise.race([once(this.#child, 'message'), ended])) as [CrowdMessage];
    return message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
