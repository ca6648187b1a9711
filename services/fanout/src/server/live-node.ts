import type { ViewerDirectory } from './viewer-directory.ts';

/** A live tier, or all processes of one: what operators look at, and may empty while it runs. */
export interface LiveNode {
  readonly viewers: ViewerDirectory;
  /**
   * Takes no more viewers and sends away the connected ones, evenly over `overMs`. Resolves at once with the number of viewers that are left;
   * later calls change nothing and return that number.
   */
  drain(overMs: number): Promise<number>;
  /** Whether drain() was called. */
  readonly isDraining: boolean;
}

/** For readiness: what keeps a node that drains from working; undefined if it does not drain. */
export function drainProblem(node: LiveNode | undefined): string | undefined {
  return node?.isDraining === true ? 'it drains its viewers, and takes no new ones' : undefined;
}
