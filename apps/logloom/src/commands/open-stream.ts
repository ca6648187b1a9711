import { CommandError } from './command-errors.ts';
import { authorization, reason, refused, type ErrorResponse, type ViewersEndpoint } from './endpoint.ts';

export interface StreamedResponse {
  headers: Headers;
  body: AsyncIterable<Uint8Array>;
}

/** GET, or POST where there is a body; the response is read as it comes. Throws CommandError `no-response`, `request-refused`. */
export async function openStream(
  endpoint: ViewersEndpoint,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  body?: object,
): Promise<StreamedResponse> {
  const url = new URL(path, endpoint.url);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  const asJson = body === undefined ? {} : { 'content-type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...authorization(endpoint), ...asJson },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
  } catch (cause) {
    throw new CommandError(
      'no-response',
      `no answer from ${endpoint.url} (${reason(cause)}); is Logloom running?`,
    );
  }
  if (response.ok && response.body !== null) return { headers: response.headers, body: response.body };
  const { error } = (await response.json()) as ErrorResponse;
  throw refused(error ?? { message: response.statusText }, query['q']);
}
