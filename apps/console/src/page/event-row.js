import { element } from './dom.js';
import { formatClock, formatDate } from './format.js';

/**
 * A log event as the server sends it.
 * @typedef {object} LogEvent
 * @property {string} id
 * @property {string} timestamp RFC 3339
 * @property {string} level
 * @property {string} service
 * @property {string} [host]
 * @property {string} message
 * @property {string} [correlationId]
 * @property {string} [correlationKind]
 * @property {string} [traceId]
 * @property {string} [spanId]
 * @property {Record<string, unknown>} attributes
 * @property {number} partition
 * @property {number} offset
 */

// Cloned for each row: about three times as fast as building it, and the stream creates thousands a second.
const template = element(
  'div',
  { class: 'row event', tabindex: '-1', role: 'listitem', 'data-testid': 'event-row' },
  element('time', { class: 'time' }),
  element('span', { class: 'level' }),
  element('span', { class: 'service' }),
  element('span', { class: 'message' }),
);

/** @type {WeakMap<Element, LogEvent>} */
const events = new WeakMap();

/**
 * Why a search found an event: pieces of its fields, with the matched ranges counted from the piece's start, which is at `at`.
 * @typedef {Record<string, { at: number, fragment: string, ranges: [number, number][] }[]>} Highlights
 */

/** @param {LogEvent} event @param {Highlights} [highlights] */
export function eventRow(event, highlights = {}) {
  const row = /** @type {HTMLElement} */ (template.cloneNode(true));
  const [time, level, service, message] =
    /** @type {[HTMLElement, HTMLElement, HTMLElement, HTMLElement]} */ (
      /** @type {unknown} */ ([...row.children])
    );
  row.dataset['level'] = event.level;
  time.dataset.date = formatDate(event.timestamp);
  time.textContent = formatClock(event.timestamp);
  time.title = event.timestamp;
  level.textContent = event.level;
  service.textContent = event.service;
  message.textContent = event.message;
  const { message: inMessage, ...others } = highlights;
  if (inMessage !== undefined) message.replaceChildren(...marked(event.message, inMessage));
  for (const [field, pieces] of Object.entries(others)) {
    if (!field.startsWith('attributes.')) continue;
    for (const { fragment } of pieces)
      message.append(
        element('span', { class: 'found' }, `${field.slice(11)}=`, element('mark', {}, fragment)),
      );
  }
  events.set(row, event);
  return row;
}

/**
 * The text with the matches highlighted.
 * @param {string} text
 * @param {Highlights[string]} pieces
 */
export function marked(text, pieces) {
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let from = 0;
  for (const { at, ranges } of pieces) {
    for (const [start, end] of ranges) {
      parts.push(text.slice(from, at + start), element('mark', {}, text.slice(at + start, at + end)));
      from = at + end;
    }
  }
  return [...parts, text.slice(from)];
}

/** The heads of the columns of event rows. */
export function eventColumns() {
  return ['Time', 'Level', 'Service', 'Message'].map((name) => element('span', {}, name));
}

/**
 * Makes the rows of a list open by click, Enter and Space; the arrow keys move between rows.
 * @param {HTMLElement} list
 * @param {(event: LogEvent, row: HTMLElement) => void} open
 */
export function openRows(list, open) {
  /** @param {EventTarget | null} target */
  const rowOf = (target) =>
    /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest('.row'));
  /** @param {HTMLElement | null} row */
  const openRow = (row) => {
    const event = row === null ? undefined : events.get(row);
    if (row !== null && event !== undefined) open(event, row);
  };
  list.addEventListener('click', (click) => {
    // A user who selects text to copy it does not want a panel over it.
    if (String(getSelection()) === '') openRow(rowOf(click.target));
  });
  list.addEventListener('keydown', (key) => {
    const row = rowOf(key.target);
    if (key.key === 'Enter' || key.key === ' ') {
      if (row === null || row.tagName === 'A') return;
      key.preventDefault();
      openRow(row);
    } else if (key.key === 'ArrowDown' || key.key === 'ArrowUp') {
      const rows = [...list.querySelectorAll('.row')];
      const step = key.key === 'ArrowDown' ? 1 : -1;
      const next = row === null ? rows.at(step === 1 ? 0 : -1) : rows[rows.indexOf(row) + step];
      key.preventDefault();
      /** @type {HTMLElement | undefined} */ (next)?.focus();
    }
  });
}

/** @param {Element} row @returns {LogEvent | undefined} */
export function eventOf(row) {
  return events.get(row);
}
