/** A position in a trace: W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header. */
export interface TracePosition {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  sampled: boolean;
}

/** The header of HTTP requests and of the log's records that carries a position. */
export const traceparentHeader = 'traceparent';

// Later versions may append fields, each behind a dash; version ff does not exist.
const pattern = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a traceparent; undefined if it is not valid by the standard. */
export function parseTraceparent(text: string): TracePosition | undefined {
  const match = pattern.exec(text);
  if (match === null || (match[1] === '00' && match[5] !== undefined)) return undefined;
  return { traceId: match[2]!, spanId: match[3]!, sampled: (Number.parseInt(match[4]!, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: TracePosition): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
