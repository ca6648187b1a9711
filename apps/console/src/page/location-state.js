/**
 * What the page shows, kept in the URL's hash so that a link shares it and the back button works:
 * `#live?q=level:error`, `#search?q=...&range=1h`, `#requests?id=...`, `#alerts?state=resolved`.
 *
 * @typedef {'live' | 'search' | 'requests' | 'alerts'} ViewName
 * @typedef {{ view: ViewName, parameters: Record<string, string> }} PageState
 */

/** @type {ViewName[]} */
const views = ['live', 'search', 'requests', 'alerts'];

/** @param {string} hash with or without the # @returns {PageState} */
export function parseHash(hash) {
  const [name = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const view = views.find((known) => known === name) ?? 'live';
  return { view, parameters: Object.fromEntries(new URLSearchParams(query)) };
}

/** @param {ViewName} view @param {Record<string, string | undefined>} parameters empty ones are left out */
export function formatHash(view, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  return `#${view}${query.size > 0 ? `?${query}` : ''}`;
}

/**
 * Goes to a state: a new history entry, or (`replace`) a change of the current one, as while typing.
 * @param {ViewName} view
 * @param {Record<string, string | undefined>} parameters
 * @param {{ replace?: boolean }} [options]
 */
export function navigate(view, parameters, { replace = false } = {}) {
  const hash = formatHash(view, parameters);
  if (hash === (location.hash || '#live')) return;
  if (replace) {
    history.replaceState(null, '', hash);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = hash;
  }
}
