import { ApiError, getJson } from './api.js';
import { element } from './dom.js';
import { requestsHint } from './empty-hints.js';
import { formatCount } from './format.js';
import { navigate } from './location-state.js';
import { RequestGroups } from './request-groups.js';
import { requestColumns, startedRequestRow } from './request-row.js';
import { defaultRange, ranges } from './time-range.js';

const pageSize = 100;
const errorsOnly = 'errorCount:>0';

/** @type {[string, string][]} */
const choices = [
  ['', 'List'],
  ['shape', 'By shape'],
  ['service', 'By service'],
];

/** Recent requests, newest first; or their figures by shape or service. */
export class RequestList {
  #filterBox;
  #abort = new AbortController();
  /** @type {Record<string, string>} */ #parameters = {};
  #rows = element('div', {
    class: 'list',
    role: 'list',
    'aria-label': 'Requests',
    'data-testid': 'request-list',
  });
  #empty = element('div', { class: 'empty', hidden: true });
  #total = element('strong', { class: 'total', role: 'status', 'data-testid': 'requests-total' });
  #errors = element('input', { type: 'checkbox', id: 'errors-only', 'data-testid': 'errors-only' });
  #choices = choices.map(([by, label]) =>
    element(
      'button',
      { type: 'button', 'data-testid': `requests-by-${by || 'none'}`, onclick: () => this.#go({ by }) },
      label,
    ),
  );
  #range = element(
    'select',
    {
      'aria-label': 'Time',
      'data-testid': 'requests-range',
      onchange: () => this.#go({ range: this.#range.value }),
    },
    ...ranges
      .filter(([name]) => name !== 'custom')
      .map(([name, label]) => element('option', { value: name }, label)),
  );
  #frame = element(
    'div',
    { class: 'list-frame' },
    element(
      'div',
      { class: 'columns request-columns dated', 'aria-hidden': 'true' },
      ...requestColumns('First event'),
    ),
    this.#rows,
    this.#empty,
  );
  #groups;
  element = element(
    'div',
    { class: 'fill' },
    element(
      'div',
      { class: 'toolbar' },
      element('div', { class: 'segmented', role: 'group', 'aria-label': 'What to show' }, ...this.#choices),
      this.#range,
      element('label', { class: 'check' }, this.#errors, 'Errors only'),
      element('button', { type: 'button', onclick: () => void this.#load() }, 'Refresh'),
      this.#total,
    ),
    this.#frame,
  );

  /** @param {import('./filter-box.js').FilterBox} filterBox */
  constructor(filterBox) {
    this.#filterBox = filterBox;
    this.#groups = new RequestGroups(filterBox);
    this.element.append(this.#groups.element);
    this.#rows.classList.add('dated');
    this.#errors.addEventListener('change', () => this.#go({ errors: this.#errors.checked ? '1' : '' }));
  }

  /** @param {Record<string, string>} parameters */
  async show(parameters) {
    this.#parameters = parameters;
    this.#errors.checked = parameters['errors'] === '1';
    this.#choices.forEach((button, i) =>
      button.setAttribute('aria-pressed', String(choices[i]?.[0] === (parameters['by'] ?? ''))),
    );
    await this.#load();
  }

  /** @param {Record<string, string>} change */
  #go(change) {
    navigate('requests', { ...this.#parameters, ...change });
  }

  async #load() {
    this.#abort.abort();
    const { signal } = (this.#abort = new AbortController());
    this.#groups.cancel();
    const filter = this.#parameters['q'] ?? '';
    const grouped = (this.#parameters['by'] ?? '') !== '';
    this.#frame.hidden = grouped;
    this.#range.hidden = !grouped;
    this.#range.value = this.#parameters['range'] ?? defaultRange;
    this.#total.hidden = grouped;
    this.#groups.element.hidden = !grouped;
    const q = this.#errors.checked ? (filter === '' ? errorsOnly : `(${filter}) AND ${errorsOnly}`) : filter;
    if (grouped) return this.#groups.show(this.#parameters, q);
    try {
      const found = await getJson('correlations', { q, limit: pageSize, comparison: 'true' }, signal);
      this.#filterBox.clearError();
      this.#rows.replaceChildren();
      this.#rows.scrollTop = 0;
      const total = typeof found.total === 'number' ? found.total : found.total.value;
      this.#total.textContent = `${formatCount(total)} ${total === 1 ? 'request' : 'requests'}`;
      this.#append(found, q, signal);
      this.#empty.hidden = found.correlations.length > 0;
      if (!this.#empty.hidden) this.#empty.replaceChildren(...requestsHint(q !== ''));
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** @param {{ correlations: import('./request-row.js').Correlation[], next?: string }} found @param {string} q @param {AbortSignal} signal */
  #append(found, q, signal) {
    this.#rows.append(...found.correlations.map(startedRequestRow));
    if (found.next === undefined) return;
    const more = element(
      'button',
      { type: 'button', class: 'more', 'data-testid': 'load-more' },
      'Load more',
    );
    more.addEventListener('click', async () => {
      more.disabled = true;
      try {
        const next = await getJson(
          'correlations',
          { q, limit: pageSize, comparison: 'true', cursor: found.next },
          signal,
        );
        more.remove();
        this.#append(next, q, signal);
      } catch (error) {
        more.disabled = false;
        if (!signal.aborted) this.#fail(error);
      }
    });
    this.#rows.append(more);
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!(error instanceof ApiError)) throw error;
    const kept = this.#rows.childElementCount > 0;
    this.#filterBox.showError(error, kept ? 'Below are the previous results.' : undefined);
  }
}
