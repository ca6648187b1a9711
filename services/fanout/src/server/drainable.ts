/** A live tier, or all processes of one, that can be emptied while it runs. */
export interface Drainable {
  /**
   * Takes no more viewers and sends away the connected ones, evenly over `overMs`. Resolves at once with the number of viewers that are left;
   * later calls change nothing and return that number.
   */
  drain(overMs: number): Promise<number>;
  /** Whether drain() was called. */
  readonly isDraining: boolean;
}

/** For readiness: what keeps a node that drains from working; undefined if it does not drain. */
export function drainProblem(node: Drainable | undefined): string | undefined {
  return node?.isDraining === true ? 'it drains its viewers, and takes no new ones' : undefined;
}
