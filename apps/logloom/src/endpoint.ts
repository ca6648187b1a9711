import type { Settings } from './settings.ts';
import { escapeControls } from '@logloom/telemetry/escape-controls';

/** Why a command failed; scripts use the exit code. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 2) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

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

/** GET as JSON. Throws CommandError with the server's message, and the position of a filter's error. */
export async function getJson(
  endpoint: ViewersEndpoint,
  path: string,
  query: Record<string, string | undefined> = {},
): Promise<unknown> {
  const url = new URL(path, endpoint.url);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  let response: Response;
  try {
    response = await fetch(url, { headers: authorization(endpoint) });
  } catch (cause) {
    throw new CommandError(`no answer from ${endpoint.url} (${reason(cause)}); is Logloom running?`);
  }
  const body = (await response.json()) as { error?: { code?: string; message: string; position?: number } };
  if (response.ok) return body;
  const { message = response.statusText, position } = body.error ?? {};
  const marked = position === undefined ? '' : `\n  ${query['q'] ?? ''}\n  ${' '.repeat(position)}^`;
  // Another server also responds 404 to an unknown path, but without this code.
  throw new CommandError(escapeControls(message) + marked, body.error?.code === 'not-found' ? 1 : 2);
}

/** The innermost reason of a failed fetch, which hides it. */
export function reason(error: unknown): string {
  const { cause, message } = error as Error & { cause?: Error & { code?: string } };
  return cause?.code ?? cause?.message ?? message;
}
