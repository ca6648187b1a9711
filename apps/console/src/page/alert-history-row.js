import { element } from './dom.js';
import { formatDateTime } from './format.js';

/**
 * What happened to an alert, as the server sends it.
 * @typedef {object} HistoryEntry
 * @property {'alert' | 'silence' | 'acknowledgement'} type
 * @property {string} appendedAt
 * @property {string} [rule]
 * @property {string} [state]
 * @property {string} [message]
 * @property {Record<string, string>} [labels]
 * @property {string} [author]
 * @property {string} [note]
 * @property {string} [reason]
 * @property {string[]} [matchers]
 * @property {string} [endedBy]
 */

/** @param {HistoryEntry} entry */
export function alertHistoryRow(entry) {
  const { type, appendedAt, state } = entry;
  return element(
    'div',
    {
      class: 'alert-history',
      role: 'listitem',
      'data-state': state ?? type,
      'data-testid': 'alert-history-row',
    },
    element('time', { datetime: appendedAt }, formatDateTime(appendedAt)),
    element('span', { class: 'alert-state' }, state ?? type),
    element('span', {}, textOf(entry)),
  );
}

/** @param {HistoryEntry} entry */
function textOf({ type, rule, message, labels = {}, author, note, reason, matchers = [], endedBy }) {
  switch (type) {
    case 'alert':
      return `${message}  ${Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`;
    case 'silence':
      return `${matchers.join(' ')}: ${endedBy === undefined ? `${reason} (${author})` : `ended by ${endedBy}`}`;
    case 'acknowledgement':
      return `${rule}: ${author}${note === '' ? '' : `, ${note}`}`;
  }
}
