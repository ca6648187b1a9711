import { ApiError } from '../errors.ts';

/** How many responses are being streamed: a few, because each holds something; one principal may have half of them. */
export class RunningExports {
  readonly #most: number;
  readonly #byPrincipal = new Map<string, number>();
  #all = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Throws ApiError `too-many-requests`. Returns what ends it. */
  begin(principal: string): () => void {
    const own = this.#byPrincipal.get(principal) ?? 0;
    if (this.#all >= this.#most || own >= this.#most / 2)
      throw new ApiError('too-many-requests', 'too many of them are running; try again');
    this.#all++;
    this.#byPrincipal.set(principal, own + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#all--;
      const left = this.#byPrincipal.get(principal)! - 1;
      if (left === 0) this.#byPrincipal.delete(principal);
      else this.#byPrincipal.set(principal, left);
    };
  }
}
