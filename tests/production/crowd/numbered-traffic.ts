/** Events of one request; they follow each other, so that its document is soon complete. */
const eventsPerRequest = 40;

/** Lines that are numbered and belong to one of `shares`: who watches a share knows which numbers it must get. */
export function numberedLines(count: number, shares: number): string[] {
  const begin = Date.parse('2026-01-01T00:00:00Z');
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify({
      timestamp: new Date(begin + n).toISOString(),
      service: `service-${n % 50}`,
      level: n % 20 === 0 ? 'warn' : 'info',
      message: `numbered event ${n}`,
      traceId: `numbered-${Math.floor(n / eventsPerRequest)}`,
      n,
      share: `s${n % shares}`,
    }),
  );
}
