const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a page may connect: browsers let any page open a WebSocket, so only pages of the same host may, or on loopback any port.
 * Clients that are no browsers send no Origin.
 */
export function isAllowedOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  if (from.host === host.toLowerCase()) return true;
  const to = `http://${host}`;
  return loopbackNames.has(from.hostname) && URL.canParse(to) && loopbackNames.has(new URL(to).hostname);
}
