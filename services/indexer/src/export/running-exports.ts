import { ApiError } from '../errors.ts';

/** A few, because each holds a page in memory; one principal may have half of them. */
const most = 8;

/** How many responses are being streamed. */
export class RunningExports {
  readonly #byPrincipal = new Map<string, number>();
  #all = 0;

  /** Throws ApiError `too-many-requests`. Returns what ends it. */
  begin(principal: string): () => void {
    const own = this.#byPrincipal.get(principal) ?? 0;
    if (this.#all >= most || own >= most / 2)
      throw new ApiError('too-many-requests', 'too many exports are running; try again');
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
