import { requestId, type Traffic } from './traffic.ts';

/** Event `n` as a line of JSON, as it is sent. */
export function eventLine(traffic: Traffic, n: number, timestampMs: number): string {
  const { service, level, message, request, host, attributes } = traffic.event(n);
  const { run } = traffic;
  return JSON.stringify({
    timestamp: new Date(timestampMs).toISOString(),
    service,
    level,
    message,
    ...(host === undefined ? {} : { host }),
    ...(request < 0 ? {} : { correlationId: requestId(run, request) }),
    ...(attributes === undefined ? {} : { attributes }),
    loadtest: { run, n },
  });
}
