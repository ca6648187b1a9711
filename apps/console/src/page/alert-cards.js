import { acknowledgeDialog, silenceDialog } from './alert-dialogs.js';
import { element } from './dom.js';
import { formatDateTime, formatDuration, plural } from './format.js';
import { narrowFilter, filterTerm } from './filter-text.js';
import { formatHash, navigate, parseHash } from './location-state.js';

/**
 * An alert as the server sends it.
 * @typedef {object} Alert
 * @property {string} fingerprint
 * @property {string} rule
 * @property {'pending' | 'firing' | 'resolved'} state
 * @property {string} scope
 * @property {string} [severity]
 * @property {Record<string, string>} labels
 * @property {string} message
 * @property {string} [condition]
 * @property {string} [measured]
 * @property {string} startsAt
 * @property {string} [endsAt]
 * @property {string} lastAt
 * @property {number} occurrences
 * @property {string[]} examples
 * @property {string[]} silencedBy
 * @property {{ author: string, note: string, at: string }} [acknowledged]
 */

const severities = ['critical', 'high', 'medium', 'low', undefined];

/** Those that somebody has to look at first: firing, neither silenced nor acknowledged, severe. @param {Alert} alert */
function rankOf({ state, silencedBy, acknowledged, severity }) {
  const isQuiet = silencedBy.length > 0 || acknowledged !== undefined;
  return (state === 'pending' ? 100 : 0) + (isQuiet ? 10 : 0) + severities.indexOf(severity);
}

/** Ids of events are places: epoch, partition, offset. */
const eventId = /^[0-9A-Za-z]{6,16}-\d+-\d+$/;

/** The cards of a list of alerts; one that has not changed keeps its place and focus. */
export class AlertCards {
  #onChange;
  /** @type {Map<string, { json: string, card: HTMLElement }>} */ #shown = new Map();

  /** @param {() => void} onChange called when a person has changed something */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @param {HTMLElement} list @param {Alert[]} alerts */
  update(list, alerts) {
    const before = this.#shown;
    this.#shown = new Map();
    for (const alert of alerts.toSorted((a, b) => rankOf(a) - rankOf(b))) {
      const json = JSON.stringify(alert);
      const known = before.get(alert.fingerprint);
      const card = known?.json === json ? known.card : this.#card(alert);
      this.#shown.set(alert.fingerprint, { json, card });
    }
    const cards = [...this.#shown.values()].map(({ card }) => card);
    const isSame =
      cards.length === list.children.length && cards.every((card, i) => list.children[i] === card);
    if (!isSame) list.replaceChildren(...cards);
  }

  /** @param {Alert} alert */
  #card(alert) {
    const { state, severity, message, silencedBy, acknowledged } = alert;
    const marks = [
      silencedBy.length > 0 &&
        element('span', { class: 'mark', 'data-testid': 'alert-silenced' }, 'silenced'),
      acknowledged !== undefined &&
        element(
          'span',
          { class: 'mark', title: acknowledged.at, 'data-testid': 'alert-acknowledged' },
          `${acknowledged.author} is on it${acknowledged.note === '' ? '' : `: ${acknowledged.note}`}`,
        ),
    ];
    return element(
      'article',
      {
        class: 'alert',
        role: 'listitem',
        'data-state': state,
        'data-quiet': silencedBy.length > 0 || acknowledged !== undefined,
        'data-testid': 'alert-card',
      },
      element(
        'header',
        {},
        element('span', { class: 'alert-state' }, state),
        severity !== undefined && element('span', { class: 'severity', 'data-severity': severity }, severity),
        element('h2', {}, message),
        ...marks,
      ),
      element('p', { class: 'alert-facts' }, factsOf(alert)),
      element('p', { class: 'labels' }, ...Object.entries(alert.labels).map(labelButton)),
      alert.examples.length > 0 &&
        element('p', { class: 'alert-examples' }, 'For example ', ...alert.examples.map(exampleLink)),
      state !== 'resolved' &&
        element(
          'footer',
          {},
          element(
            'button',
            {
              type: 'button',
              'data-testid': 'acknowledge',
              onclick: () => acknowledgeDialog(alert, this.#onChange),
            },
            'Acknowledge',
          ),
          element(
            'button',
            { type: 'button', 'data-testid': 'silence', onclick: () => silenceDialog(alert, this.#onChange) },
            'Silence',
          ),
        ),
    );
  }
}

/** What it is about, and since when. @param {Alert} alert */
function factsOf({ rule, condition, measured, startsAt, endsAt, lastAt, occurrences }) {
  const why = condition === undefined ? `rule ${rule}` : `rule ${rule}: ${condition}`;
  const last = endsAt === undefined ? `it was ${measured}` : `${measured} at the end`;
  const was = measured === undefined ? '' : ` (${last})`;
  const lastsMs = endsAt === undefined ? 0 : Date.parse(endsAt) - Date.parse(startsAt);
  const time =
    endsAt === undefined
      ? `since ${formatDateTime(startsAt)}`
      : `from ${formatDateTime(startsAt)} to ${formatDateTime(endsAt)} (${formatDuration(lastsMs)})`;
  const times = occurrences > 1 ? ` · ${plural(occurrences, 'time')}, last ${formatDateTime(lastAt)}` : '';
  return `${why}${was} · ${time}${times}`;
}

/** A label, which narrows the filter to its value. @param {[string, string]} label */
function labelButton([name, value]) {
  return element(
    'button',
    {
      type: 'button',
      class: 'label',
      title: 'Add to the filter',
      onclick: () => {
        const { parameters } = parseHash(location.hash);
        const term = filterTerm(`labels.${name}`, value);
        navigate('alerts', { ...parameters, q: narrowFilter(parameters['q'] ?? '', term) });
      },
    },
    `${name}=${value}`,
  );
}

/** @param {string} id of a request or an event */
function exampleLink(id) {
  const href = eventId.test(id)
    ? formatHash('search', { q: filterTerm('id', id), range: 'all' })
    : formatHash('requests', { correlation: id });
  return element('a', { href, 'data-testid': 'alert-example' }, id);
}
