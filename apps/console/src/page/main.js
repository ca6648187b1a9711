/** The composition root of the page: one filter box, one live connection, four views, and the URL that says which. */
import { AlertsView } from './alerts-view.js';
import { byId } from './dom.js';
import { EventDetails } from './event-details.js';
import { FilterBox } from './filter-box.js';
import { narrowFilter } from './filter-text.js';
import { LiveClient } from './viewer/src/index.js';
import { LiveView } from './live-view.js';
import { navigate, parseHash } from './location-state.js';
import { RequestsView } from './requests-view.js';
import { SearchView } from './search-view.js';
import { showConnection } from './connection-state.js';
import { getJson } from './api.js';
import { viewerToken } from './viewer-token.js';

const liveUrl = new URL('live', location.href.replace(/^http/, 'ws'));
liveUrl.hash = '';
liveUrl.search = '';

const filterBox = new FilterBox((text, typing) => {
  const { view, parameters } = parseHash(location.hash);
  // A filter applies to the list, so the page leaves a single request.
  const list = view === 'requests' ? { id: '', correlation: '' } : {};
  navigate(view, { ...parameters, ...list, q: text }, { replace: typing });
});
const token = viewerToken();
const client = new LiveClient({
  url: liveUrl.href,
  ...(token === undefined ? {} : { token }),
  onState: (state, retryAt) => {
    showConnection(state, retryAt);
    // A browser does not say why a WebSocket was refused. The API does: it reports a missing token.
    if (state === 'waiting') getJson('status').catch(() => {});
  },
});
byId('connection-state').addEventListener('click', () => client.connect());
window.addEventListener('online', () => client.connect());

/** @param {string} term */
function filterBy(term) {
  const { view, parameters } = parseHash(location.hash);
  if (view === 'requests' || view === 'alerts') navigate('search', { q: term, range: 'all' });
  else navigate(view, { ...parameters, q: narrowFilter(parameters['q'] ?? '', term) });
}

const details = new EventDetails(filterBy);
const shared = { filterBox, client, filterBy, showDetails: details.show.bind(details) };
const views = {
  live: new LiveView(shared),
  search: new SearchView(shared),
  requests: new RequestsView(shared),
  alerts: new AlertsView(shared),
};
/** @type {keyof typeof views | undefined} */
let shown;

function follow() {
  const { view, parameters } = parseHash(location.hash);
  if (view !== shown) {
    details.close();
    if (shown !== undefined) views[shown].hide();
    for (const name of Object.keys(views)) byId(`view-${name}`).hidden = name !== view;
    for (const tab of document.querySelectorAll('.tabs a')) {
      if (tab.getAttribute('data-view') === view) tab.setAttribute('aria-current', 'page');
      else tab.removeAttribute('aria-current');
    }
    shown = view;
  }
  filterBox.show(parameters['q'] ?? '', views[view].placeholder(parameters));
  views[view].show(parameters);
}

// A tab returns to the last state of its view.
for (const tab of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('.tabs a'))) {
  const view = tab.dataset['view'];
  tab.addEventListener(
    'click',
    () => (tab.hash = parseHash(location.hash).view === view ? `#${view}` : tab.hash),
  );
  window.addEventListener('hashchange', () => {
    if (parseHash(location.hash).view === view) tab.hash = location.hash;
  });
}

byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('main').focus();
});
document.addEventListener('keydown', (event) => {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    filterBox.focus();
  } else if (event.key === 'Escape') {
    details.close();
  }
});
window.addEventListener('hashchange', follow);
client.connect();
follow();
