/** The user's token, if Logloom requires one. It is kept until this tab is closed. */
import { element } from './dom.js';

const storedAs = 'logloom-token';

/** @returns {string | undefined} */
export function viewerToken() {
  return sessionStorage.getItem(storedAs) ?? undefined;
}

/** Asks the user for a token, once at a time, and restarts with it. `why` is the server's reason. @param {string} why */
export function askForToken(why) {
  if (document.querySelector('.token-dialog') !== null) return;
  const input = element('input', {
    type: 'password',
    id: 'token-input',
    autocomplete: 'off',
    required: true,
    'data-testid': 'token-input',
  });
  const dialog = element(
    'dialog',
    { class: 'token-dialog', 'aria-labelledby': 'token-title', 'data-testid': 'token-dialog' },
    element(
      'form',
      {
        method: 'dialog',
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          sessionStorage.setItem(storedAs, input.value.trim());
          location.reload();
        },
      },
      element('h2', { id: 'token-title' }, 'This Logloom requires a token'),
      element('p', {}, why),
      element('label', { for: 'token-input' }, 'Token'),
      input,
      element('button', { class: 'button primary', type: 'submit' }, 'Watch'),
    ),
  );
  show(dialog);
}

/** A login page in front of Logloom refuses the user: only loading the page leads there. */
export function askToLogIn() {
  if (document.querySelector('.token-dialog') !== null) return;
  show(
    element(
      'dialog',
      { class: 'token-dialog', 'aria-labelledby': 'login-title', 'data-testid': 'login-dialog' },
      element(
        'form',
        { method: 'dialog', onsubmit: () => location.reload() },
        element('h2', { id: 'login-title' }, 'Your login has ended'),
        element('button', { class: 'button primary', type: 'submit' }, 'Log in'),
      ),
    ),
  );
}

/** @param {HTMLDialogElement} dialog */
function show(dialog) {
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
