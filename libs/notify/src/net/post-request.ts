import { splitCredentials } from '@logloom/runtime/split-credentials';
import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import { DeliveryError } from '../delivery-error.ts';
import type { AddressRules } from './address-rules.ts';
import { AddressRefusedError, checkHost, guardedLookup } from './guarded-lookup.ts';
import { retryAfterMs } from './retry-after.ts';

export interface PostRequest {
  method?: 'POST' | 'PUT';
  /** May hold a user and a password, which go into a header. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  body: string;
  /** URL of an HTTP proxy; the target's name is then resolved by the proxy. */
  proxy?: string | undefined;
  /** For the whole request; default 10 s. */
  timeoutMs?: number | undefined;
}

const defaultTimeoutMs = 10_000;
/** Codes of connections that were never made: nothing was sent. */
const unconnected = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** What is read of a refusal, characters. */
const mostText = 2_000;

/**
 * Sends a request to a host that the rules allow; resolves when the answer is 2xx, whose body is not read. Redirects are not followed: they would carry the
 * message to another host. Throws DeliveryError.
 */
export async function postRequest(
  { method = 'POST', url, headers, body, proxy, timeoutMs = defaultTimeoutMs }: PostRequest,
  rules: AddressRules,
  signal: AbortSignal,
): Promise<void> {
  const { target, authorization } = splitCredentials(url);
  const timeout = AbortSignal.timeout(timeoutMs);
  const ends = AbortSignal.any([signal, timeout]);
  let dispatcher: Dispatcher | undefined;
  try {
    await checkHost(rules, target.hostname);
    dispatcher = await openDispatcher(rules, proxy);
    const response = await request(target, {
      method,
      headers: { 'user-agent': 'logloom', ...authorization, ...headers },
      body,
      dispatcher,
      signal: ends,
    });
    const status = response.statusCode;
    if (status >= 200 && status < 300) return;
    const text = await beginningOf(response.body);
    const after = response.headers['retry-after'];
    throw new DeliveryError(`${target.origin} answered ${status}${said(text)}`, {
      isFinal: status < 500 && status !== 408 && status !== 425 && status !== 429,
      // Gateways answer 5xx where the server behind them may have done its work.
      isRefused: status < 500 && status !== 408,
      retryAfterMs: retryAfterMs(Array.isArray(after) ? after[0] : after, Date.now()),
    });
  } catch (error) {
    if (error instanceof DeliveryError || signal.aborted) throw error;
    if (timeout.aborted)
      throw new DeliveryError(`${target.origin} did not answer within ${timeoutMs / 1000} s`, {
        isSilent: true,
      });
    throw unreachable(target, error);
  } finally {
    // With what is left of the answer.
    await dispatcher?.destroy();
  }
}

async function openDispatcher(rules: AddressRules, proxy: string | undefined): Promise<Dispatcher> {
  const connect = { lookup: guardedLookup(rules) };
  if (proxy === undefined) return new Agent({ connect, pipelining: 0 });
  const { target, authorization } = splitCredentials(proxy);
  await checkHost(rules, target.hostname);
  return new ProxyAgent({
    uri: target.href,
    ...(authorization.authorization !== undefined && { token: authorization.authorization }),
    proxyTls: connect,
  });
}

function unreachable(target: URL, error: unknown): DeliveryError {
  const refused = chainOf(error).find((cause) => cause instanceof AddressRefusedError);
  if (refused !== undefined) return new DeliveryError(refused.message, { isFinal: true, isRefused: true });
  const { message, code } = (chainOf(error).at(-1) ?? {}) as { message?: string; code?: string };
  return new DeliveryError(`${target.origin} cannot be reached (${code ?? message ?? 'no reason given'})`, {
    isSilent: true,
    isRefused: code !== undefined && unconnected.has(code),
  });
}

/** The error and its causes; of several that were tried at once, the first. */
function chainOf(error: unknown): Error[] {
  if (error instanceof AggregateError && error.errors.length > 0) return chainOf(error.errors[0]);
  return error instanceof Error ? [error, ...chainOf(error.cause)] : [];
}

/** Controls would act in a terminal that shows a log or the list of failed jobs. */
function said(text: string): string {
  const line = text
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 200);
  return line === '' ? '' : `: ${line}`;
}

async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  let text = '';
  body.setEncoding('utf8');
  for await (const chunk of body) {
    text += chunk as string;
    if (text.length >= mostText) break;
  }
  return text.slice(0, mostText);
}
