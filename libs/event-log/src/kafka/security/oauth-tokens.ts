import { LiveValues } from '@logloom/settings/connection';
import type { OauthOptions } from './options.ts';

/** A token is renewed when so much of its life is left, at most and at least. */
const renewShare = 0.2;
const renewMs = 30_000;
/** What RFC 6749 leaves open when the answer has no expires_in. */
const defaultLifeMs = 300_000;
const answerMs = 10_000;

interface Token {
  value: string;
  extensions: Readonly<Record<string, string>>;
}

/** With this code the fault is known as one of the credentials, whatever it is wrapped in. */
export const tokenRefused = 'ERR_OAUTH_TOKEN_REFUSED';

/**
 * Access tokens by the client-credentials flow. A token is kept until shortly before it expires, and only one request for a new one is
 * under way at a time. Source: RFC 6749, sections 2.3.1, 4.4 and 5.
 */
export class OauthTokens implements Disposable {
  readonly #options: OauthOptions;
  readonly #client: LiveValues<'id' | 'secret', { id: string; secret: string }>;
  #token: { token: Token; renewAt: number } | undefined;
  #asking: Promise<Token> | undefined;

  constructor(options: OauthOptions, onTrouble?: (message: string) => void, onChange?: () => void) {
    this.#options = options;
    this.#client = new LiveValues({
      values: { id: options.clientId, secret: options.clientSecret },
      make: ({ id = '', secret = '' }) => ({ id, secret }),
      onTrouble,
      onChange: () => {
        this.#token = undefined;
        onChange?.();
      },
    });
  }

  /** Throws an Error that names the setting, and that has the code `tokenRefused` when the endpoint refuses the client. */
  async get(): Promise<Token> {
    if (this.#token !== undefined && performance.now() < this.#token.renewAt) return this.#token.token;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #ask(): Promise<Token> {
    const { tokenEndpointUrl, scope, extensions = {} } = this.#options;
    const { id, secret } = this.#client.current;
    const asked = performance.now();
    const response = await fetch(tokenEndpointUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64')}`,
        accept: 'application/json',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) }),
      signal: AbortSignal.timeout(answerMs),
    }).catch((cause: unknown) => {
      throw new Error(`the token endpoint cannot be reached: ${reasonOf(cause)} (${names.url})`, { cause });
    });
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    if (!response.ok) throw refused(response.status, answer['error']);
    const { access_token: value, expires_in: seconds } = answer;
    if (typeof value !== 'string' || value === '')
      throw new Error(`the token endpoint's answer has no access_token (${names.url})`);
    const lifeMs = Number(seconds) > 0 ? Number(seconds) * 1000 : defaultLifeMs;
    const token = { value, extensions };
    this.#token = { token, renewAt: asked + lifeMs - Math.min(renewMs, lifeMs * renewShare) };
    return token;
  }
}

const names = {
  url: 'KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL',
  client: 'KAFKA_SASL_OAUTHBEARER_CLIENT_ID, KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET',
  scope: 'KAFKA_SASL_OAUTHBEARER_SCOPE',
};

/** 400 and 401 say that the request is refused as it is (section 5.2); the rest may pass. */
function refused(status: number, error: unknown): Error {
  const reason =
    typeof error === 'string' && /^[\w-]{1,64}$/.test(error) ? `${status} ${error}` : String(status);
  const setting = error === 'invalid_scope' ? names.scope : status === 404 ? names.url : names.client;
  const message = `the token endpoint answered ${reason} (${setting})`;
  return status >= 400 && status < 500 && status !== 429 && status !== 408
    ? Object.assign(new Error(message), { code: tokenRefused })
    : new Error(message);
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code ?? (error as Error).name;
}

/** As section 2.3.1 has it. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
