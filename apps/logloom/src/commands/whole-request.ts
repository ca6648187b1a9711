import type { RequestJson } from '../output/request-lines.ts';
import { getJson, type ViewersEndpoint } from './endpoint.ts';

/** A request with all its events, whose number has no limit: they come in pages. `id` is a document's, or the request's own. */
export async function wholeRequest(endpoint: ViewersEndpoint, id: string): Promise<RequestJson> {
  const path = `/api/correlations/${encodeURIComponent(id)}`;
  type Page = RequestJson & { next?: string };
  const { next, ...request } = (await getJson(endpoint, path)) as Page;
  const events = [...request.events];
  for (let cursor = next; cursor !== undefined;) {
    const page = (await getJson(endpoint, `${path}?cursor=${encodeURIComponent(cursor)}`)) as Page;
    events.push(...page.events);
    cursor = page.next;
  }
  return { ...request, events };
}
