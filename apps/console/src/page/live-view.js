import { ArrivalRate } from './arrival-rate.js';
import { byId } from './dom.js';
import { liveHint } from './empty-hints.js';
import { eventColumns, eventRow, openRows } from './event-row.js';
import { formatCount, plural } from './format.js';
import { gapRow, ModeRows, noteRow } from './live-notes.js';
import { navigate } from './location-state.js';
import { requestColumns, requestRow } from './request-row.js';
import { StreamList } from './stream-list.js';

const tail = 100;

/** The stream of events, or of requests as they complete. */
export class LiveView {
  #shared;
  #list;
  #modes = new ModeRows();
  /** @type {Record<string, string>} */ #parameters = {};
  /** @type {{ subscription: import('./viewer/src/index.js').Subscription, key: string } | undefined} */ #current;
  /** @type {{ subscription: import('./viewer/src/index.js').Subscription, key: string } | undefined} */ #wanted;
  /** The filter of each stream: a filter for events rarely fits requests. */
  #filters = { events: '', correlations: '' };
  #paused = false;
  #subscribed = false;
  #rate = new ArrivalRate();
  #missed = 0;

  /** @param {{ client: import('./viewer/src/index.js').LiveClient, filterBox: import('./filter-box.js').FilterBox, showDetails: (event: import('./event-row.js').LogEvent, row: HTMLElement) => void }} shared */
  constructor(shared) {
    this.#shared = shared;
    const list = byId('live-list');
    this.#list = new StreamList(list, () => this.#showState());
    openRows(list, shared.showDetails);
    byId('live-jump').addEventListener('click', () => {
      if (this.#paused) this.#pause(false);
      this.#list.follow();
      list.focus({ preventScroll: true });
    });
    byId('pause').addEventListener('click', () => this.#pause(!this.#paused));
    byId('live-clear').addEventListener('click', () => this.#list.clear());
    byId('live-events').addEventListener('click', () => this.#choose('events'));
    byId('live-requests').addEventListener('click', () => this.#choose('correlations'));
    setInterval(() => this.#measure(), 1000);
  }

  /** @param {Record<string, string>} parameters */
  placeholder(parameters) {
    return parameters['stream'] === 'correlations'
      ? 'Filter requests, e.g.  errorCount:>0 AND service:checkout'
      : 'Filter, e.g.  level:>=warn AND service:pay* AND message:"time out"';
  }

  /** @param {Record<string, string>} parameters */
  show(parameters) {
    this.#parameters = parameters;
    this.#list.hide(false);
    const stream = this.#stream();
    this.#filters[stream] = parameters['q'] ?? '';
    byId('live-events').setAttribute('aria-pressed', String(stream === 'events'));
    byId('live-requests').setAttribute('aria-pressed', String(stream === 'correlations'));
    this.#watch(stream, this.#filters[stream]);
  }

  hide() {
    this.#list.hide(true);
  }

  #stream() {
    return this.#parameters['stream'] === 'correlations' ? 'correlations' : 'events';
  }

  /** @param {'events' | 'correlations'} stream */
  #choose(stream) {
    if (stream === this.#stream()) return;
    navigate('live', { q: this.#filters[stream], stream: stream === 'events' ? '' : stream });
  }

  /**
   * The old subscription continues until the server has accepted the new one. @param {'events' | 'correlations'} stream @param {string}
   * filter
   */
  #watch(stream, filter) {
    const key = `${stream} ${filter}`;
    if (this.#wanted?.key === key) return;
    this.#wanted?.subscription.close();
    this.#wanted = undefined;
    if (this.#current?.key === key) return;
    const mine = () => this.#current?.key === key;
    const subscription = this.#shared.client.subscribe(
      { filter, stream, from: { tail } },
      {
        onSubscribed: () => {
          if (!mine()) this.#takeOver(stream, key);
        },
        onItems: (items) => {
          if (!mine()) return;
          this.#rate.add(items.length);
          const row = stream === 'events' ? eventRow : requestRow;
          this.#list.push(items.map((item) => () => row(item)));
        },
        onGap: (gap) => {
          if (!mine()) return;
          this.#missed += gap.missed;
          this.#list.push([() => gapRow(gap)]);
        },
        onMode: (mode) => {
          if (!mine()) return;
          const make = this.#modes.add(mode);
          if (make !== undefined) this.#list.push([make]);
        },
        onRestart: (message) => {
          if (mine()) this.#list.push([() => noteRow('Started again from now', message)]);
        },
        onError: (error) => this.#refused(key, error),
      },
    );
    this.#wanted = { subscription, key };
  }

  /** @param {'events' | 'correlations'} stream @param {string} key */
  #takeOver(stream, key) {
    if (this.#wanted?.key !== key) return;
    this.#current?.subscription.close();
    this.#current = this.#wanted;
    this.#wanted = undefined;
    this.#shared.filterBox.clearError();
    this.#missed = 0;
    this.#subscribed = true;
    this.#rate.begin(tail);
    this.#modes = new ModeRows();
    this.#list.clear();
    const columns = byId('live-columns');
    columns.className = `columns ${stream === 'events' ? 'event' : 'request'}-columns`;
    columns.replaceChildren(...(stream === 'events' ? eventColumns() : requestColumns('Last event')));
  }

  /** @param {string} key @param {{ message: string, position?: number }} error */
  #refused(key, error) {
    if (this.#wanted?.key === key) this.#wanted = undefined;
    const goesOn = this.#current !== undefined && this.#current.key !== key;
    if (!goesOn) this.#current = undefined;
    this.#shared.filterBox.showError(
      error,
      goesOn ? 'The stream below continues with the previous filter.' : undefined,
    );
  }

  /** @param {boolean} paused */
  #pause(paused) {
    this.#paused = paused;
    const button = byId('pause');
    button.textContent = paused ? 'Resume' : 'Pause';
    button.setAttribute('aria-pressed', String(paused));
    this.#list.pause(paused);
  }

  #measure() {
    const mean = this.#rate.tick();
    const box = byId('rate');
    box.textContent = '';
    if (mean === undefined || !this.#subscribed) return;
    const rate = mean === 0 || mean >= 10 ? formatCount(Math.round(mean)) : mean.toFixed(1);
    box.textContent = `${rate} ${this.#stream() === 'events' ? 'events' : 'requests'}/s`;
  }

  #showState() {
    const waiting = this.#list.waiting;
    const jump = byId('live-jump');
    jump.hidden = waiting === 0 && this.#list.following;
    const what = this.#stream() === 'events' ? 'event' : 'request';
    jump.textContent = waiting === 0 ? 'To the newest ↓' : `${plural(waiting, `new ${what}`)} ↓`;
    const notes = [
      this.#paused ? 'paused' : '',
      this.#list.trimmed ? 'showing the last 2,000' : '',
      this.#modes.current === 'full' ? '' : this.#modes.current,
      this.#missed > 0 ? `${formatCount(this.#missed)} not sent` : '',
    ].filter((note) => note !== '');
    byId('live-note').textContent = notes.join(' · ');
    const empty = byId('live-empty');
    empty.hidden = !this.#list.empty;
    if (!empty.hidden) empty.replaceChildren(...liveHint(this.#stream(), this.#parameters['q'] ?? ''));
  }
}
