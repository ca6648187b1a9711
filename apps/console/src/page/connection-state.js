import { byId } from './dom.js';

const texts = {
  connecting: 'Connecting…',
  open: 'Connected',
  waiting: 'Reconnecting',
  closed: 'Not connected',
};

/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;

/** Shows the live connection's state; while waiting, the seconds to the next try. @param {import('./viewer/src/index.js').ConnectionState} state @param {number} [retryAt] */
export function showConnection(state, retryAt) {
  const button = byId('connection-state');
  const label = /** @type {HTMLElement} */ (button.querySelector('span'));
  button.dataset['state'] = state;
  button.title =
    state === 'waiting' ? 'Click to try now. Nothing is lost: the stream continues where it stopped.' : '';
  clearInterval(countdown);
  label.textContent = texts[state];
  if (state !== 'waiting' || retryAt === undefined) return;
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    label.textContent = `${texts.waiting} in ${seconds} s`;
  };
  tick();
  countdown = setInterval(tick, 1000);
}
