/** Hints for new users while there is nothing to show. */
import { element } from './dom.js';
import { formatHash } from './location-state.js';

const curl = `curl -H 'content-type: application/x-ndjson' \\
  --data '{"level":"info","service":"web","message":"hello"}' \\
  http://127.0.0.1:4318/ingest`;
const demo = 'npm run logloom -- demo';

function sendSomething() {
  return [
    element('p', {}, 'Send one event:'),
    element('pre', {}, curl),
    element('p', {}, 'or start a demo shop that logs continuously:'),
    element('pre', {}, demo),
  ];
}

/** @param {string} stream @param {string} filter */
export function liveHint(stream, filter) {
  const what = stream === 'events' ? 'events' : 'requests';
  if (filter !== '') {
    return [
      element('h2', {}, `No ${what} match yet`),
      element('p', {}, 'New ones appear here as they arrive. Use the search for earlier ones.'),
      element(
        'p',
        {},
        stream === 'events' &&
          element('a', { class: 'button', href: formatHash('search', { q: filter }) }, 'Search history'),
      ),
    ];
  }
  const title = stream === 'events' ? 'Waiting for the first event' : 'Waiting for a request to complete';
  return [element('h2', {}, title), ...sendSomething()];
}

/** @param {Record<string, string>} parameters */
export function searchHint(parameters) {
  const bounded = (parameters['range'] ?? '24h') !== 'all';
  const filtered = (parameters['q'] ?? '') !== '';
  if (!bounded && !filtered) return [element('h2', {}, 'No events are stored yet'), ...sendSomething()];
  const links = element('p', { class: 'links' });
  if (bounded) {
    const href = formatHash('search', { ...parameters, range: 'all', from: undefined, to: undefined });
    links.append(element('a', { class: 'button primary', href }, 'Search all time'));
  }
  if (filtered) {
    const href = formatHash('search', { ...parameters, q: undefined });
    links.append(element('a', { class: 'button', href }, 'Clear the filter'));
  }
  return [
    element('h2', {}, 'Nothing found'),
    element(
      'p',
      {},
      bounded ? 'No event in this time range matches.' : 'No stored event matches this filter.',
    ),
    links,
  ];
}

/** @param {boolean} filtered */
export function requestsHint(filtered) {
  if (filtered) {
    return [
      element('h2', {}, 'No requests match'),
      element('p', {}, element('a', { class: 'button', href: '#requests' }, 'Show all requests')),
    ];
  }
  return [
    element('h2', {}, 'No requests yet'),
    element(
      'p',
      {},
      'Events that share a correlationId, requestId, traceId or sessionId become one request, a few seconds after its last event.',
    ),
    ...sendSomething(),
  ];
}
