import { declareErrors } from '@logloom/errors';

/** Why a client is refused. */
export const authErrors = declareErrors({
  unauthorized: {
    status: 401,
    retriable: false,
    message: 'the request needs a valid token or key',
    where: 'HTTP',
    cause:
      'The request has no token, or its token was not signed by one of the keys for this issuer and audience.',
    action:
      'Send `Authorization: Bearer`, the subprotocol `bearer.<token>` or `access_token`; at ingest a key (`docs/security.md`).',
  },
  'token-expired': {
    status: 401,
    retriable: false,
    message: 'the token has expired; connect again with a new one',
    where: 'HTTP, live error',
    cause: "The token's `exp` has passed. An open connection gets this error and is closed with 4401.",
    action: 'Get a new token, and reconnect with it and the last cursor.',
  },
  forbidden: {
    status: 403,
    retriable: false,
    message: 'the token does not allow this',
    where: 'HTTP, live error',
    cause:
      "The token's filter claim is missing or not a valid filter; or a token with an imposed filter asks for something that cannot be restricted to it: jobs, saved filters, the status, or live documents when the filter cannot be applied to documents.",
    action: 'Use a token that is allowed to, or search `/api/correlations`.',
  },
  'auth-unavailable': {
    status: 503,
    retriable: true,
    message: 'the keys that tokens are checked with cannot be read',
    where: 'HTTP',
    cause: 'The keys at `LIVE_AUTH_JWKS`, or at ingest the file `INGEST_KEYS`, cannot be fetched or read.',
    action: 'Retry. Operators: check the URL or the file.',
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
      'The `Host` of the request is a name that the server does not know: a DNS rebinding attack, or a name of yours that is not listed.',
    action: 'List the name in `ALLOWED_HOSTS`, or use an IP address.',
  },
  'bad-origin': {
    status: 403,
    retriable: false,
    message: 'pages of another origin may not connect',
    where: 'HTTP',
    cause: 'A web page of another origin sent the request, or made the browser send it.',
    action:
      'Serve the page from the same host and port, for example through the same proxy, which must keep the `Host` header. For viewers you can also list the origin in `LIVE_ALLOWED_ORIGINS`. Programs send no `Origin`.',
  },
});
