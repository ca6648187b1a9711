import { element } from './dom.js';
import { formatClock, formatDate, formatDuration, plural, rarity } from './format.js';
import { formatHash } from './location-state.js';

/**
 * A correlation document as the server sends it.
 * @typedef {object} Correlation
 * @property {string} id
 * @property {string} correlationId
 * @property {string} kind
 * @property {number} revision
 * @property {string} [closeReason]
 * @property {string} firstAt
 * @property {string} lastAt
 * @property {number} durationMs
 * @property {number} eventCount
 * @property {string[]} services
 * @property {Record<string, number>} levels
 * @property {number} errorCount
 * @property {string[]} rules
 * @property {string} [severity]
 * @property {{ rare: boolean, sameShape: number, requests: number }} [anomaly] lists that are asked for have it, live ones do not
 */

/** A request in a list, with a link to it. @param {Correlation} request */
export function requestRow(request) {
  return element(
    'a',
    {
      class: 'row request',
      href: formatHash('requests', { id: request.id }),
      role: 'listitem',
      'data-testid': 'request-row',
      'data-level': request.errorCount > 0 ? 'error' : 'info',
    },
    element(
      'time',
      { class: 'time', title: request.lastAt, 'data-date': formatDate(request.lastAt) },
      formatClock(request.lastAt),
    ),
    element(
      'span',
      { class: 'services', title: request.rules.join(', ') },
      request.severity !== undefined &&
        element('span', { class: 'severity', 'data-severity': request.severity }, request.severity),
      request.anomaly?.rare === true &&
        element('span', { class: 'rare', title: rarity(request.anomaly) }, 'rare'),
      request.services.join(' → '),
    ),
    element('span', { class: 'duration' }, formatDuration(request.durationMs)),
    element('span', { class: 'count' }, plural(request.eventCount, 'event')),
    element('span', { class: 'errors' }, request.errorCount > 0 ? plural(request.errorCount, 'error') : '–'),
    element(
      'span',
      { class: 'request-id', title: `${request.kind} ${request.correlationId}` },
      request.correlationId,
    ),
  );
}

/** The heads of the columns of request rows. */
export function requestColumns() {
  return ['Last event', 'Services', 'Duration', 'Events', 'Errors', 'Correlation'].map((name) =>
    element('span', {}, name),
  );
}
