import type { Stack } from './running-stack.ts';
import { startStack, type StackOptions } from './start-stack.ts';

export interface SharedStack {
  stack: Stack;
  /** Ends this use; the last one stops the engines. A second call does nothing. */
  release: () => Promise<void>;
}

const shared = new Map<string, { started: Promise<Stack>; uses: number }>();

/**
 * Engines that the test files of one process use after one another: the first to ask starts them, and the last to release them stops them.
 * Who stops one has to start it again.
 */
export async function shareStack(options: Pick<StackOptions, 'only'>): Promise<SharedStack> {
  const key = JSON.stringify(options);
  const entry = shared.get(key) ?? { started: startStack(options), uses: 0 };
  shared.set(key, entry);
  entry.uses++;
  const stack = await entry.started;
  let isInUse = true;
  const release = async (): Promise<void> => {
    if (!isInUse) return;
    isInUse = false;
    entry.uses--;
    if (entry.uses > 0) return;
    shared.delete(key);
    await stack.stop();
  };
  return { stack, release };
}
