import { fetchAt, refused, urlAt, type ErrorResponse, type ViewersEndpoint } from './endpoint.ts';

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
  const method = body === undefined ? 'GET' : 'POST';
  const response = await fetchAt(endpoint, method, urlAt(endpoint, path, query), { body, signal });
  if (response.ok && response.body !== null) return { headers: response.headers, body: response.body };
  const { error } = (await response.json()) as ErrorResponse;
  throw refused(error ?? { message: response.statusText }, query['q']);
}
