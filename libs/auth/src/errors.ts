import { declareErrors } from '@logloom/errors';

/** Why a client is not let in. */
export const authErrors = declareErrors({
  unauthorized: {
    status: 401,
    retriable: false,
    message: 'the request needs a valid token or key',
    where: 'HTTP',
    cause:
      'No token came with the request, or none that one of the keys has signed for this issuer and audience.',
    action:
      'Send `Authorization: Bearer`, the subprotocol `bearer.<token>` or `access_token`; at ingest a key (`docs/security.md`).',
  },
  'token-expired': {
    status: 401,
    retriable: false,
    message: 'the token has expired; connect again with a new one',
    where: 'HTTP, live error',
    cause: "The token's `exp` has passed. A connection is told so and closed with 4401.",
    action: 'Get a new token, connect again with it and the last cursor.',
  },
  forbidden: {
    status: 403,
    retriable: false,
    message: 'the token does not allow this',
    where: 'HTTP, live error',
    cause:
      "The token's filter claim is missing or no filter, or a token that imposes a filter asks for what cannot be cut to it: jobs, saved filters, the status, or live documents by a filter that documents cannot decide.",
    action: 'Use a token that may, or search `/api/correlations`.',
  },
  'auth-unavailable': {
    status: 503,
    retriable: true,
    message: 'the keys that tokens are checked with cannot be read',
    where: 'HTTP',
    cause: 'The keys at `LIVE_AUTH_JWKS`, or at ingest the file `INGEST_KEYS`, cannot be fetched or read.',
    action: 'Repeat. As an operator look at the URL or the file.',
  },
});

/** Why a request is refused before its sender is authenticated. */
export const guardErrors = declareErrors({
  'bad-host': {
    status: 421,
    retriable: false,
    message: 'this server is not known by the name in Host; ALLOWED_HOSTS lists the names that it accepts',
    where: 'HTTP',
    cause:
      'The request calls the server by a name that it does not know: an attack by DNS rebinding, or a name of yours.',
    action: 'Name it in `ALLOWED_HOSTS`, or use an address.',
  },
  'bad-origin': {
    status: 403,
    retriable: false,
    message: 'pages of another origin may not connect',
    where: 'HTTP',
    cause: 'A web page of another origin sent the request, or had a browser send it.',
    action:
      'Serve the page from the same host and port, for example through the same proxy; keep the `Host` header there. For viewers, or name the origin in `LIVE_ALLOWED_ORIGINS`. Programs send no `Origin`.',
  },
});
