import type { AccessRequest } from './principal.ts';

/** Before the token, among the subprotocols that a WebSocket client offers. */
export const tokenProtocol = 'bearer.';

/**
 * The token of a request: `Authorization: Bearer` (RFC 6750); else, because a browser cannot set headers on a WebSocket or an EventSource,
 * an offered subprotocol `bearer.<token>`, or `access_token` in the query. An Authorization header of another scheme is ignored.
 */
export function tokenOf({ url = '', headers }: AccessRequest): string | undefined {
  const bearer = /^bearer +([\w.~+/=-]+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const offered = headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim());
  const protocol = offered?.find((name) => name.startsWith(tokenProtocol));
  if (protocol !== undefined) return protocol.slice(tokenProtocol.length);
  const query = url.indexOf('?');
  return query < 0 ? undefined : (new URLSearchParams(url.slice(query)).get('access_token') ?? undefined);
}
