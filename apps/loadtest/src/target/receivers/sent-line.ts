/** An event as a line of a run says it (traffic/event-line.ts). */
export interface SentLine {
  /** RFC 3339, to the millisecond. */
  timestamp: string;
  service: string;
  level: string;
  message: string;
  host?: string;
  correlationId?: string;
  attributes?: Readonly<Record<string, unknown>>;
  loadtest: { run: string; n: number };
}

export function readLine(line: string): SentLine {
  return JSON.parse(line) as SentLine;
}

/** In digits, as protocols have it that count nanoseconds since 1970. */
export function nanosecondsOf(timestamp: string): string {
  return `${Date.parse(timestamp)}000000`;
}
