import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const unified = '/sys/fs/cgroup/cgroup.controllers';

/** A memory cgroup as a container has one, for processes that are moved into it. Needs root. */
export class SmallCgroup implements AsyncDisposable {
  readonly #folder: string;
  readonly #isV2: boolean;

  /** Throws where this machine lets nobody make one. */
  constructor(name: string, bytes: number) {
    this.#isV2 = existsSync(unified);
    this.#folder = join(this.#isV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory', name);
    mkdirSync(this.#folder);
    this.#write(this.#isV2 ? 'memory.max' : 'memory.limit_in_bytes', bytes);
    // No swap: what does not fit is killed, as in a container.
    if (!this.#isV2) this.#write('memory.swappiness', 0);
  }

  /** Bytes that were in use at most. */
  get peak(): number {
    const file = this.#isV2 ? 'memory.peak' : 'memory.max_usage_in_bytes';
    return Number(readFileSync(join(this.#folder, file), 'utf8'));
  }

  /** A shell command that moves itself into the cgroup and becomes the given program. */
  command(program: readonly string[]): string[] {
    return ['sh', '-c', `echo $$ > ${join(this.#folder, 'cgroup.procs')} && exec "$@"`, 'sh', ...program];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The kernel takes a moment to let go of the last process.
    for (let attempt = 0; ; attempt++) {
      try {
        rmdirSync(this.#folder);
        return;
      } catch (error) {
        if (attempt === 50) throw error;
        await sleep(100);
      }
    }
  }

  #write(file: string, value: number): void {
    writeFileSync(join(this.#folder, file), String(value));
  }
}
