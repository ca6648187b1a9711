import { isAlive, type ProcessIdentity } from '@logloom/runtime/process-identity';
import { epochMs } from '../clock.ts';
import { LoadtestError } from '../errors.ts';
import { processNames, type FaultOptions, type FaultTarget } from '../faults/check-faults.ts';
import { findProcess, withChildren, type ProcessNames } from '../faults/keeper/find-process.ts';
import type { ResourceLook, ResourceResult, Second } from '../result.ts';
import { kernelResources } from './kernel-resources.ts';
import { processResources } from './process-resources.ts';

/** Before the end of a stage, as then some viewers may go at once. */
const beforeEndMs = 300;

interface Stage {
  name: string;
  toS: number;
}

/**
 * Looks at what generator, server and kernel have, before the first viewer and at the end of each stage. The server's processes are those
 * that listen at the target's addresses of this machine, and what they started.
 */
export class ResourceWatch implements Disposable {
  readonly #names: ProcessNames;
  readonly #generatorPids: readonly number[];
  readonly #looks: Omit<ResourceLook, 'viewers'>[] = [];
  #timers: NodeJS.Timeout[] = [];
  #server: ProcessIdentity[] = [];

  constructor(target: FaultTarget, options: FaultOptions, generatorPids: readonly number[]) {
    this.#names = processNames(options, target);
    this.#generatorPids = generatorPids;
  }

  /** Time 0 of the stages is at `startsAtMs` since 1970. */
  begin(startsAtMs: number, stages: readonly Stage[]): void {
    this.#look(0, null);
    const lastOf = new Map(stages.map((stage) => [stage.toS, stage]));
    this.#timers = [...lastOf.values()].map(({ name, toS }) =>
      setTimeout(
        () => this.#look(toS, name),
        Math.max(0, startsAtMs + toS * 1_000 - beforeEndMs - epochMs()),
      ),
    );
  }

  /** Null where this machine does not tell. */
  result(seconds: readonly Second[]): ResourceResult | null {
    if (this.#looks.length === 0) return null;
    // The second that ends with the stage, or a part of it.
    const viewersAt = (atS: number): number => seconds[Math.ceil(atS) - 1]?.viewers ?? 0;
    return {
      hasServer: this.#looks.some(({ server }) => server !== null),
      looks: this.#looks.map((look) => ({ ...look, viewers: viewersAt(look.atS) })),
    };
  }

  [Symbol.dispose](): void {
    this.#timers.forEach(clearTimeout);
  }

  #look(atS: number, stage: string | null): void {
    const generator = processResources(this.#generatorPids);
    const kernel = kernelResources();
    if (generator === undefined || kernel === undefined) return;
    const server = processResources(this.#serverPids());
    this.#looks.push({ atS, stage, generator, server: server ?? null, kernel });
  }

  #serverPids(): number[] {
    // To find them takes long where there are many sockets.
    if (this.#server.length === 0 || !this.#server.every(isAlive)) this.#server = this.#find();
    return this.#server.map(({ pid }) => pid);
  }

  #find(): ProcessIdentity[] {
    const found = new Map<number, ProcessIdentity>();
    for (const name of Object.keys(this.#names.ports)) {
      try {
        for (const each of withChildren(findProcess(name, this.#names).pid)) found.set(each.pid, each);
      } catch (error) {
        // It may be down at this moment, be another user's, or run the load test itself.
        if (!(error instanceof LoadtestError)) throw error;
      }
    }
    return [...found.values()];
  }
}
