import type { Commit } from '../event-log.ts';

/** The epoch of the topic goes before the metadata: an offset means nothing on a recreated topic. */
const shape = /^@([0-9a-f]{12}) /;

export function writeMetadata(epoch: string, metadata: string): string {
  return `@${epoch} ${metadata}`;
}

/**
 * Interprets a stored commit for the topic with this epoch: null if it was made on another one. A commit of an earlier release is not
 * certain, because it does not name the topic's epoch.
 */
export function readCommit(
  { offset, metadata }: Commit,
  epoch: string,
): { commit: Commit | null; isCertain: boolean } {
  const match = shape.exec(metadata);
  if (match === null) return { commit: { offset, metadata }, isCertain: false };
  if (match[1] !== epoch) return { commit: null, isCertain: true };
  return { commit: { offset, metadata: metadata.slice(match[0].length) }, isCertain: true };
}
