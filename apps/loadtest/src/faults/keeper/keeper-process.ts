import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { KeptFault } from '../../scenario/fault-plan.ts';
import type { FromKeeper, KeeperStart, ToKeeper } from './keeper-messages.ts';

export interface KeptEnd {
  undone: boolean;
  detail: string;
}

/** The run's side of the process that makes and undoes faults of processes and of the machine. */
export class KeeperProcess {
  readonly #child: ChildProcess;
  readonly #started = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #begun = new Map<number, (problem: string | null) => void>();
  readonly #ended = new Map<number, PromiseWithResolvers<KeptEnd>>();

  constructor() {
    // A session of its own: Ctrl-C in a terminal is not for it.
    this.#child = fork(join(import.meta.dirname, 'keeper-main.ts'), { detached: true });
    this.#started.promise.catch(() => {});
    this.#child.on('message', (message: FromKeeper) => {
      switch (message.type) {
        case 'started':
          return this.#started.resolve();
        case 'begun':
          return this.#begun.get(message.id)?.(message.problem);
        case 'ended':
          return this.#endOf(message.id).resolve(message);
        case 'closed':
          return this.#closed.resolve();
      }
    });
    this.#child.on('exit', (code, signal) => {
      const how = `the process that undoes faults ended with ${code ?? signal}`;
      this.#started.reject(new Error(how));
      this.#closed.resolve();
      for (const begun of this.#begun.values()) begun(how);
      for (const ended of this.#ended.values()) ended.resolve({ undone: false, detail: how });
    });
  }

  async start(start: Omit<KeeperStart, 'type'>): Promise<void> {
    this.#tell({ type: 'start', ...start });
    await this.#started.promise;
  }

  /** Resolves when the fault is in force; with a problem when it could not be made. */
  begin(id: number, fault: KeptFault): Promise<string | null> {
    const begun = Promise.withResolvers<string | null>();
    this.#begun.set(id, begun.resolve);
    this.#endOf(id);
    this.#tell({ type: 'begin', id, fault });
    return begun.promise;
  }

  /** Resolves when the fault is over: undone, or by itself. */
  ended(id: number): Promise<KeptEnd> {
    return this.#endOf(id).promise;
  }

  end(id: number): Promise<KeptEnd> {
    this.#tell({ type: 'end', id });
    return this.ended(id);
  }

  /** Undoes all that is left, and ends the process. */
  async close(): Promise<void> {
    this.#tell({ type: 'close' });
    await this.#closed.promise;
  }

  #endOf(id: number): PromiseWithResolvers<KeptEnd> {
    let ended = this.#ended.get(id);
    if (ended === undefined) this.#ended.set(id, (ended = Promise.withResolvers<KeptEnd>()));
    return ended;
  }

  #tell(message: ToKeeper): void {
    // One that ends at this moment has nothing to be told.
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
