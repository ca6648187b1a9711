export interface StepRecord {
  step: string;
  /** From the start of the deploy on. */
  startedSeconds: number;
  seconds: number;
  outcome: 'done' | 'failed';
  detail?: string;
}

/** Tells an operator what a deploy does, with the times. */
export class StepReport {
  readonly steps: StepRecord[] = [];
  readonly #write: (line: string) => void;
  readonly #asJson: boolean;
  readonly #begin = performance.now();

  constructor(write: (line: string) => void, asJson: boolean) {
    this.#write = write;
    this.#asJson = asJson;
  }

  /** Runs a step. `work` may return what is worth telling about it. What it throws is told, and thrown. */
  async step(step: string, work: () => Promise<string | void>): Promise<void> {
    const startedSeconds = this.#seconds;
    if (!this.#asJson) this.#write(`${clock(startedSeconds)}  ${step}`);
    try {
      const detail = await work();
      this.#end(step, startedSeconds, 'done', detail ?? undefined);
    } catch (error) {
      this.#end(step, startedSeconds, 'failed', (error as Error).message);
      throw error;
    }
  }

  /** A line of its own, for what is no step. */
  note(line: string): void {
    if (this.#asJson) this.#write(JSON.stringify({ note: line }));
    else this.#write(`${clock(this.#seconds)}  ${line}`);
  }

  get #seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  #end(step: string, startedSeconds: number, outcome: StepRecord['outcome'], detail?: string): void {
    const seconds = this.#seconds - startedSeconds;
    const round = (value: number): number => Math.round(value * 1000) / 1000;
    const record: StepRecord = {
      step,
      startedSeconds: round(startedSeconds),
      seconds: round(seconds),
      outcome,
      ...(detail === undefined ? {} : { detail }),
    };
    this.steps.push(record);
    if (this.#asJson) return this.#write(JSON.stringify(record));
    const told = detail === undefined ? '' : `: ${detail.replaceAll('\n', `\n${' '.repeat(13)}`)}`;
    this.#write(`${clock(this.#seconds)}    ${outcome} after ${seconds.toFixed(1)} s${told}`);
  }
}

function clock(seconds: number): string {
  return `${seconds.toFixed(1).padStart(7)} s`;
}
