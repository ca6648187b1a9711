import { comparisonText } from './comparison-text.js';
import { element } from './dom.js';
import { formatClock, formatDate, formatDuration, plural } from './format.js';
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
 * @property {string} [joinedInto] the request that has its events now
 * @property {import('./comparison-text.js').Comparison} [comparison] lists that are asked for have it, live ones do not
 */

/**
 * A request in a list, with a link to it.
 * @param {Correlation} request
 * @param {string} at the time that the list is ordered by: of its first event, or of its last one
 */
function row(request, at) {
  return element(
    'a',
    {
      class: 'row request',
      href: formatHash('requests', { id: request.joinedInto ?? request.id }),
      role: 'listitem',
      'data-testid': 'request-row',
      'data-level': request.errorCount > 0 ? 'error' : 'info',
    },
    element('time', { class: 'time', title: at, 'data-date': formatDate(at) }, formatClock(at)),
    element(
      'span',
      { class: 'services', title: request.rules.join(', ') },
      request.severity !== undefined &&
        element('span', { class: 'severity', 'data-severity': request.severity }, request.severity),
      request.comparison?.slow === true &&
        element('span', { class: 'slow', title: comparisonText(request.comparison) }, 'slow'),
      request.joinedInto === undefined ? request.services.join(' → ') : `part of ${request.joinedInto}`,
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

/** A request in the live list, which shows requests as they complete. @param {Correlation} request */
export function requestRow(request) {
  return row(request, request.lastAt);
}

/** A request in a list that the server orders by the first event. @param {Correlation} request */
export function startedRequestRow(request) {
  return row(request, request.firstAt);
}

/** The heads of the columns of request rows. @param {'First event' | 'Last event'} time */
export function requestColumns(time) {
  return [time, 'Services', 'Duration', 'Events', 'Errors', 'Correlation'].map((name) =>
    element('span', {}, name),
  );
}
