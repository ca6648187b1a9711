import { TestIssuer } from '@logloom/auth/test-issuer';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Registration {
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  /** Of the only user, who is logged in already. */
  email: string;
  /** How long ID tokens live. */
  tokenSeconds: number;
}

/** What an authorization code or a refresh token stands for. */
type Grant = Record<'nonce' | 'challenge', string | null>;

/** Makes tokens as long as those of a large company: a session does not fit into one cookie. */
const groups = Array.from({ length: 60 }, () => randomUUID());

/**
 * An OpenID Connect provider with one user and one client: discovery, authorization codes with PKCE, refresh tokens that are good for one use.
 * Whatever a client must not send is refused with 400.
 */
export class IdentityProvider implements AsyncDisposable {
  /** Where it is, as `iss` of its tokens. */
  readonly issuer: string;
  /** How many tokens were given for a refresh token. */
  refreshes = 0;
  readonly #server: Server;
  readonly #signer: TestIssuer;
  readonly #registration: Registration;
  readonly #codes = new Map<string, Grant>();
  readonly #refreshTokens = new Map<string, Grant>();

  private constructor(server: Server, signer: TestIssuer, registration: Registration) {
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    this.#server = server;
    this.#signer = signer;
    this.#registration = registration;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#respond(request, response).catch((error: Error) => {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: 'invalid_request', error_description: error.message }));
      });
    });
  }

  static async start(registration: Registration): Promise<IdentityProvider> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new IdentityProvider(server, await TestIssuer.create('k'), registration);
  }

  /** An ID token of the user for the client. */
  sign(more: Record<string, unknown> = {}, seconds = this.#registration.tokenSeconds): Promise<string> {
    const { clientId, email } = this.#registration;
    const claims = { iss: this.issuer, aud: clientId, sub: 'alice', email, email_verified: true, groups };
    return this.#signer.sign({ ...claims, iat: Math.floor(Date.now() / 1000), ...more }, { seconds });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, this.issuer);
    const json = (body: string): unknown =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    if (pathname === '/.well-known/openid-configuration') json(JSON.stringify(this.#discovery));
    else if (pathname === '/keys') json(this.#signer.jwks());
    else if (pathname === '/authorize')
      response.writeHead(302, { location: this.#authorize(searchParams) }).end();
    else if (pathname === '/token')
      json(JSON.stringify(await this.#exchange(request, new URLSearchParams(await text(request)))));
    else response.writeHead(404).end();
  }

  get #discovery() {
    const at = (path: string): string => this.issuer + path;
    return {
      issuer: this.issuer,
      authorization_endpoint: at('authorize'),
      token_endpoint: at('token'),
      jwks_uri: at('keys'),
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      code_challenge_methods_supported: ['S256'],
    };
  }

  /** Where the browser goes next. */
  #authorize(query: URLSearchParams): string {
    const { clientId, redirectUri } = this.#registration;
    expect(query.get('client_id'), clientId);
    expect(query.get('redirect_uri'), redirectUri);
    expect(query.get('response_type'), 'code');
    expect(query.get('code_challenge_method'), 'S256');
    expect(query.get('scope')?.split(' ').includes('openid'), true);
    const code = randomUUID();
    this.#codes.set(code, { nonce: query.get('nonce'), challenge: query.get('code_challenge') });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state') ?? '');
    return back.href;
  }

  async #exchange({ headers }: IncomingMessage, form: URLSearchParams) {
    const { clientId, clientSecret, redirectUri, tokenSeconds } = this.#registration;
    const basic = Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
    const [id, secret] = basic === '' ? [form.get('client_id'), form.get('client_secret')] : basic.split(':');
    expect(id, clientId);
    expect(decodeURIComponent(secret ?? ''), clientSecret);
    const isRefresh = form.get('grant_type') === 'refresh_token';
    const [grants, token] = isRefresh
      ? [this.#refreshTokens, form.get('refresh_token')]
      : [this.#codes, form.get('code')];
    const grant = grants.get(token ?? '');
    if (grant === undefined) throw new Error('unknown, or used before');
    grants.delete(token!);
    if (isRefresh) this.refreshes++;
    else {
      expect(form.get('redirect_uri'), redirectUri);
      const challenge = createHash('sha256').update(form.get('code_verifier') ?? '');
      expect(challenge.digest('base64url'), grant.challenge);
    }
    const refreshToken = randomUUID();
    this.#refreshTokens.set(refreshToken, grant);
    return {
      access_token: randomUUID(),
      token_type: 'Bearer',
      expires_in: tokenSeconds,
      id_token: await this.sign(grant.nonce === null ? {} : { nonce: grant.nonce }),
      refresh_token: refreshToken,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function expect(given: unknown, wanted: unknown): void {
  if (given !== wanted) throw new Error(`${JSON.stringify(given)} instead of ${JSON.stringify(wanted)}`);
}
