import type { KeptFault } from '../../scenario/fault-plan.ts';
import { Journal } from './journal.ts';
import type { FromKeeper, KeeperStart } from './keeper-messages.ts';
import { prepareKept, type KeptHandle } from './kept-fault.ts';

interface Kept {
  handle: KeptHandle;
  started: Promise<void>;
  ended: Promise<void> | undefined;
}

/** Makes faults of processes and of the machine, and undoes each of them, whatever becomes of the run. */
export class Keeper {
  readonly #start: KeeperStart;
  readonly #journal: Journal;
  readonly #tell: (message: FromKeeper) => void;
  readonly #pids: Record<string, number>;
  readonly #kept = new Map<number, Kept>();

  constructor(start: KeeperStart, tell: (message: FromKeeper) => void) {
    this.#start = start;
    this.#journal = new Journal(start.folder, start.run);
    this.#tell = tell;
    this.#pids = { ...start.names.pids };
  }

  async begin(id: number, fault: KeptFault): Promise<void> {
    let handle: KeptHandle;
    try {
      handle = prepareKept(fault, {
        names: { ...this.#start.names, pids: this.#pids },
        rename: (name, pid) => (this.#pids[name] = pid),
        commands: this.#start.commands,
        run: this.#start.run,
      });
    } catch (error) {
      return this.#tell({ type: 'begun', id, problem: (error as Error).message });
    }
    // Before it is done: afterwards it may be too late to say it.
    if (handle.entry !== undefined) this.#journal.set(id, handle.entry);
    const started = handle.start();
    this.#kept.set(id, { handle, started, ended: undefined });
    try {
      await started;
    } catch (error) {
      await this.#undo(id);
      return this.#tell({ type: 'begun', id, problem: (error as Error).message });
    }
    this.#tell({ type: 'begun', id, problem: null });
    void handle.over?.then(() => this.end(id));
  }

  /** Undoes a fault; a second call waits for the first. */
  async end(id: number): Promise<void> {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    kept.ended ??= this.#undo(id).then((found) => this.#tell({ type: 'ended', id, ...found }));
    await kept.ended;
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#kept.keys()].map((id) => this.end(id)));
  }

  async #undo(id: number): Promise<{ undone: boolean; detail: string }> {
    const { handle } = this.#kept.get(id)!;
    try {
      const detail = await handle.undo();
      this.#journal.delete(id);
      return { undone: true, detail };
    } catch (error) {
      // It stays in the journal: the next run names it.
      return { undone: false, detail: (error as Error).message };
    } finally {
      this.#kept.delete(id);
    }
  }
}
