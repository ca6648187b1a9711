import { ApiError, getJson } from './api.js';
import { element } from './dom.js';
import { filterTerm } from './filter-text.js';
import { formatHash } from './location-state.js';

/**
 * The part of an entry of the history that is shown.
 * @typedef {{ rule: string, message: string, severity?: string, fingerprint: string, labels: Record<string, string> }} Raised
 */

/**
 * The alerts that rules have raised over a request, each with the severity and the labels of its own rule. The element fills by itself.
 * @param {string} correlationId
 */
export function requestAlerts(correlationId) {
  const box = element('span', { 'data-testid': 'request-alerts' }, '…');
  void fill(box, correlationId);
  return box;
}

/** @param {HTMLElement} box @param {string} correlationId */
async function fill(box, correlationId) {
  const q = `type:alert AND state:firing AND ${filterTerm('correlationId', correlationId)}`;
  try {
    const { history } = await getJson('alerts/history', { q, limit: 50 });
    /** @type {Map<string, Raised>} */
    const byRule = new Map(history.map((/** @type {Raised} */ each) => [each.rule, each]));
    box.replaceChildren(...[...byRule.values()].flatMap(link));
    if (byRule.size === 0) box.textContent = 'none';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Who sees only a part of the events sees no alerts.
    box.textContent = error.code === 'forbidden' ? 'not shown to you' : error.message;
  }
}

/** @param {Raised} alert @param {number} i */
function link({ rule, message, severity, labels, fingerprint }, i) {
  const title = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return [
    ...(i === 0 ? [] : [', ']),
    ...(severity === undefined
      ? []
      : [element('span', { class: 'severity', 'data-severity': severity }, severity)]),
    element(
      'a',
      { href: formatHash('alerts', { q: filterTerm('fingerprint', fingerprint) }), title: title.join('\n') },
      message === rule ? rule : `${message} (${rule})`,
    ),
  ];
}
