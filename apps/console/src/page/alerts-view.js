import { alertHistoryRow } from './alert-history-row.js';
import { AlertCards } from './alert-cards.js';
import { ApiError, getJson } from './api.js';
import { byId, element } from './dom.js';
import { plural } from './format.js';
import { navigate } from './location-state.js';
import { silenceCard } from './silence-card.js';

const refreshMs = 5000;
const pageSize = 200;

/** What can be shown, by the parameter `state`, and how it is called. */
const choices = /** @type {const} */ ([
  ['open', 'Open'],
  ['resolved', 'Resolved'],
  ['silences', 'Silences'],
  ['history', 'History'],
]);

/** Alerts as they are, those that fire first; or silences. It is looked up again every few seconds while it is shown. */
export class AlertsView {
  #filterBox;
  /** @type {Record<string, string>} */ #parameters = {};
  /** @type {AbortController | undefined} */ #abort;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #list = element('div', { class: 'alert-list', role: 'list', 'data-testid': 'alert-list' });
  #empty = element('div', { class: 'empty', hidden: true, 'data-testid': 'alerts-empty' });
  #total = element('strong', { class: 'total', role: 'status', 'data-testid': 'alerts-total' });
  #choices = choices.map(([state, label]) =>
    element(
      'button',
      {
        type: 'button',
        'data-testid': `alerts-${state}`,
        onclick: () => navigate('alerts', { ...this.#parameters, state: state === 'open' ? '' : state }),
      },
      label,
    ),
  );
  #cards;

  /** @param {{ filterBox: import('./filter-box.js').FilterBox }} shared */
  constructor({ filterBox }) {
    this.#filterBox = filterBox;
    this.#cards = new AlertCards(() => void this.#load());
    byId('view-alerts').append(
      element(
        'div',
        { class: 'toolbar' },
        element('div', { class: 'segmented', role: 'group', 'aria-label': 'What to show' }, ...this.#choices),
        this.#total,
      ),
      element('div', { class: 'list-frame' }, this.#list, this.#empty),
    );
  }

  placeholder() {
    return 'Filter alerts, e.g.  severity:critical AND service:payment AND NOT silenced:true';
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    const kept = this.#state;
    this.#parameters = parameters;
    this.#choices.forEach((button, i) =>
      button.setAttribute('aria-pressed', String(choices[i]?.[0] === this.#state)),
    );
    if (kept !== this.#state) this.#list.replaceChildren();
    void this.#load();
  }

  hide() {
    this.#abort?.abort();
    clearTimeout(this.#timer);
  }

  get #state() {
    const { state } = this.#parameters;
    return choices.find(([known]) => known === state)?.[0] ?? 'open';
  }

  async #load() {
    this.hide();
    const { signal } = (this.#abort = new AbortController());
    try {
      if (this.#state === 'silences') await this.#loadSilences(signal);
      else if (this.#state === 'history') await this.#loadHistory(signal);
      else await this.#loadAlerts(signal);
      this.#filterBox.clearError();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      const kept = this.#list.childElementCount > 0;
      this.#filterBox.showError(error, kept ? 'Below is what was there before.' : undefined);
    }
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#load(), refreshMs);
  }

  /** @param {AbortSignal} signal */
  async #loadAlerts(signal) {
    const state = this.#state === 'open' ? 'firing,pending' : 'resolved';
    const q = this.#parameters['q'] ?? '';
    const { alerts, total, dropped } = await getJson('alerts', { state, q, limit: pageSize }, signal);
    this.#cards.update(this.#list, alerts);
    const more = dropped === undefined ? '' : ', and there is no room for more';
    this.#total.textContent = `${plural(total.value, 'alert')}${more}`;
    this.#sayEmpty(
      alerts.length > 0
        ? undefined
        : q !== ''
          ? 'No alerts match'
          : this.#state === 'open'
            ? 'Nothing fires'
            : 'Nothing was resolved in the last day',
    );
  }

  /** @param {AbortSignal} signal */
  async #loadSilences(signal) {
    const { silences } = await getJson('silences', {}, signal);
    this.#list.replaceChildren(
      ...silences.map((/** @type {import('./silence-card.js').Silence} */ silence) =>
        silenceCard(silence, () => void this.#load()),
      ),
    );
    this.#total.textContent = plural(silences.length, 'silence');
    this.#sayEmpty(silences.length > 0 ? undefined : 'There are no silences');
  }

  /** @param {AbortSignal} signal */
  async #loadHistory(signal) {
    const q = this.#parameters['q'] ?? '';
    const { history, next } = await getJson('alerts/history', { q, limit: pageSize }, signal);
    this.#list.replaceChildren(...history.map(alertHistoryRow));
    this.#total.textContent =
      next === undefined ? plural(history.length, 'entry', 'entries') : `the newest ${history.length}`;
    this.#sayEmpty(
      history.length > 0 ? undefined : q === '' ? 'Nothing has happened yet' : 'Nothing matches',
    );
  }

  /** @param {string | undefined} text */
  #sayEmpty(text) {
    this.#empty.hidden = text === undefined;
    if (text === undefined) return;
    this.#empty.replaceChildren(
      element('h2', {}, text),
      element('p', {}, 'Rules raise alerts: see docs/rules.md and docs/alerts.md.'),
    );
  }
}
