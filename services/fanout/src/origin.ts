const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a page may connect: browsers let any page open a WebSocket, so only pages of the same host, of `allowed` origins ('*': all),
 * or on loopback of any port may. Clients that are no browsers send no Origin.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] = [],
): boolean {
  if (origin === undefined || allowed.includes('*')) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  if (allowed.some((other) => other.toLowerCase() === from.origin)) return true;
  if (host === undefined) return false;
  if (from.host === host.toLowerCase()) return true;
  const to = `http://${host}`;
  return loopbackNames.has(from.hostname) && URL.canParse(to) && loopbackNames.has(new URL(to).hostname);
}
