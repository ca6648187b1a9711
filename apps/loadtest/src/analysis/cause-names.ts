/** What the analysis can name as a cause, and how a report says it. */
export const causeNames = {
  'connections-cut': 'connections were cut between the viewers and the server',
  'network-slow': 'the way between the server and the viewers became slower',
  'server-slow': 'the server became slower',
  'server-paused': 'the server stood still',
  'server-stopped': 'the server ended and started again',
  'ingest-refused': 'the server, or something before it, refused events',
  'disk-full': "the server's disk was full",
  'memory-leak': "the server's memory grew all the time",
  'generator-limit': 'the load generator was the limit',
  'machine-busy': "other programs took the CPU of the generator's machine",
} as const;

export type CauseName = keyof typeof causeNames;

/** How a report says a cause. A result that a later version wrote may have others. */
export function causeName(cause: CauseName): string {
  return (causeNames as Readonly<Record<string, string | undefined>>)[cause] ?? cause;
}
