import { escapeControls } from '@logloom/telemetry/escape-controls';
import { CommandError } from './command-errors.ts';
import type { Settings } from '../settings.ts';

/** The viewers' port of a Logloom, and the client's token. */
export interface ViewersEndpoint {
  url: string;
  /** Sent if it requires one. */
  token: string | undefined;
}

/** The viewers' port, unless the command names it. */
export function viewersUrl(settings: Settings, given: string | undefined): string {
  return given ?? `http://${settings.HOST}:${settings.LIVE_PORT}`;
}

/** The ingest port, unless the command names it. */
export function ingestUrl(settings: Settings, given: string | undefined): string {
  return given ?? `http://${settings.HOST}:${settings.INGEST_PORT}`;
}

/** The key for the ingest port, unless the command names it. */
export function ingestKey(settings: Settings, given: string | undefined): string | undefined {
  return given ?? settings.LOGLOOM_KEY;
}

/** The viewers' port and the token: those of the settings, unless the command names them. */
export function viewersEndpoint(
  settings: Settings,
  given: { url?: string; token?: string },
): ViewersEndpoint {
  return { url: viewersUrl(settings, given.url), token: given.token ?? settings.LOGLOOM_TOKEN };
}

/** The header with the token. */
export function authorization({ token }: ViewersEndpoint): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** DELETE. Throws CommandError as getJson() does. */
export async function deleteAt(endpoint: ViewersEndpoint, path: string): Promise<void> {
  await request(endpoint, 'DELETE', new URL(path, endpoint.url));
}

/** POST, with JSON if there is a body; returns the response's JSON. Throws CommandError as getJson() does. */
export async function postAt(endpoint: ViewersEndpoint, path: string, body?: object): Promise<unknown> {
  return request(endpoint, 'POST', new URL(path, endpoint.url), '', body);
}

/** GET as JSON. Throws CommandError: `no-response`, `nothing-found` for what does not exist, `request-refused`. */
export async function getJson(
  endpoint: ViewersEndpoint,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<unknown> {
  return request(endpoint, 'GET', urlAt(endpoint, path, query), query['q']);
}

/** Parameters that are undefined are left out. */
export function urlAt(
  endpoint: ViewersEndpoint,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): URL {
  const url = new URL(path, endpoint.url);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

async function request(
  endpoint: ViewersEndpoint,
  method: 'GET' | 'POST' | 'DELETE',
  url: URL,
  filter = '',
  body?: object,
): Promise<unknown> {
  const response = await fetchAt(endpoint, method, url, { body });
  if (response.status === 204) return undefined;
  const answer = (await response.json()) as ErrorResponse;
  if (response.ok) return answer;
  const error = refused(answer.error ?? { message: response.statusText }, filter);
  throw answer.error?.code === 'not-found' ? new CommandError('nothing-found', error.message) : error;
}

/** Sends a request, with JSON if there is a body; the response may be a refusal. Throws CommandError `no-response`. */
export async function fetchAt(
  endpoint: ViewersEndpoint,
  method: 'GET' | 'POST' | 'DELETE',
  url: URL,
  { body, signal = null }: { body?: object | undefined; signal?: AbortSignal | null } = {},
): Promise<Response> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return await fetch(url, {
      method,
      headers: { ...authorization(endpoint), ...json },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
  } catch (cause) {
    throw new CommandError(
      'no-response',
      `no answer from ${endpoint.url} (${reason(cause)}); is Logloom running?`,
    );
  }
}

/** The body of a response that is an error. */
export interface ErrorResponse {
  error?: RefusedWith;
}

/** What Logloom responds with; something else that listens there responds without a code. */
interface RefusedWith {
  code?: string | undefined;
  message: string;
  position?: number | undefined;
}

/** The error of a command that Logloom refused: its own message and code, and the position in the filter that it does not understand. */
export function refused({ code, message, position }: RefusedWith, filter = ''): CommandError {
  const coded = code === undefined ? '' : ` (${code})`;
  const marked = position === undefined ? '' : `\n  ${filter}\n  ${' '.repeat(position)}^`;
  return new CommandError('request-refused', escapeControls(message) + coded + marked);
}

/** The innermost reason of a failed fetch, which hides it. */
export function reason(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error & { code?: string } };
  return cause?.code ?? cause?.message ?? message;
}
