import { byId, element } from './dom.js';
import { filterTerm, flattenAttributes } from './filter-text.js';
import { formatDateTime } from './format.js';
import { formatHash } from './location-state.js';

const ownFields = /** @type {const} */ ([
  'level',
  'service',
  'host',
  'message',
  'correlationId',
  'correlationKind',
  'traceId',
  'spanId',
]);
const aroundMs = 60_000;

/** The panel with all details of one event. */
export class EventDetails {
  #panel = byId('details');
  #filterBy;
  /** @type {HTMLElement | undefined} */ #row;

  /** @param {(term: string) => void} filterBy */
  constructor(filterBy) {
    this.#filterBy = filterBy;
  }

  /** @param {import('./event-row.js').LogEvent} event @param {HTMLElement} [row] where the focus goes back to */
  show(event, row) {
    this.#mark(row);
    const fields = element('dl', { class: 'fields' });
    const at = Date.parse(event.timestamp);
    fields.append(
      element('dt', {}, 'timestamp'),
      element(
        'dd',
        {},
        element(
          'span',
          { class: 'value' },
          event.timestamp,
          element('small', {}, `${formatDateTime(at)} local`),
        ),
      ),
    );
    for (const name of ownFields)
      if (event[name] !== undefined) fields.append(...this.#field(name, event[name]));
    const attributes = flattenAttributes(event.attributes).filter(([path]) => path !== 'attributes');
    if (attributes.length > 0) fields.append(element('dt', { class: 'group' }, 'Attributes'));
    for (const [path, value] of attributes) fields.append(...this.#field(path, value));

    const around = { range: 'custom', from: String(at - aroundMs), to: String(at + aroundMs), order: 'asc' };
    const links = element('p', { class: 'links' });
    if (event.correlationId !== undefined) {
      const href = formatHash('requests', { correlation: event.correlationId });
      links.append(
        element('a', { href, class: 'button primary', 'data-testid': 'show-request' }, 'Show request'),
      );
    }
    links.append(
      element('a', { href: formatHash('search', around), class: 'button' }, '± 1 minute'),
      element('button', { type: 'button', onclick: () => copy(event) }, 'Copy JSON'),
    );
    this.#panel.replaceChildren(
      element(
        'header',
        {},
        element('span', { class: 'level', 'data-level': event.level }, event.level),
        element('h2', {}, event.service),
        element(
          'button',
          {
            type: 'button',
            class: 'close',
            'aria-label': 'Close details',
            title: 'Close (Esc)',
            onclick: () => this.close(),
          },
          '×',
        ),
      ),
      element('p', { class: 'whole-message' }, event.message),
      links,
      fields,
      element(
        'details',
        { class: 'raw' },
        element('summary', {}, `JSON · partition ${event.partition}, offset ${event.offset}`),
        element('pre', {}, JSON.stringify(event, null, 2)),
      ),
    );
    this.#panel.hidden = false;
    document.body.classList.add('with-details');
    this.#panel.scrollTop = 0;
    this.#panel.focus({ preventScroll: true });
  }

  close() {
    if (this.#panel.hidden) return;
    this.#panel.hidden = true;
    document.body.classList.remove('with-details');
    const row = this.#row;
    this.#mark(undefined);
    row?.focus({ preventScroll: true });
  }

  /** @param {HTMLElement | undefined} row */
  #mark(row) {
    this.#row?.classList.remove('open');
    row?.classList.add('open');
    this.#row = row;
  }

  /** @param {string} name @param {unknown} value */
  #field(name, value) {
    const values = Array.isArray(value) ? value : [value];
    const text = values.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(', ');
    const value0 = values[0];
    return [
      element('dt', {}, name.replace(/^attributes\./, '')),
      element(
        'dd',
        {},
        element('span', { class: `value ${typeof value}` }, text),
        value0 !== null &&
          value0 !== undefined &&
          text.length <= 500 &&
          element(
            'button',
            {
              type: 'button',
              class: 'filter-by',
              title: `Filter by this value: ${filterTerm(name, value0)}`,
              'aria-label': `Filter by this value of ${name}`,
              'data-testid': 'filter-by-value',
              onclick: () => this.#filterBy(filterTerm(name, value0)),
            },
            '+ filter',
          ),
      ),
    ];
  }
}

/** @param {object} event */
function copy(event) {
  void navigator.clipboard?.writeText(JSON.stringify(event, null, 2));
}
