/** What a person says of an alert: who takes care of it, or why nobody needs to hear of it for a while. */
import { ApiError, sendJson } from './api.js';
import { element } from './dom.js';
import { viewerToken } from './viewer-token.js';

/**
 * What names an alert, and says to a person which one it is.
 * @typedef {object} AlertName
 * @property {string} fingerprint
 * @property {string} message
 * @property {Record<string, string>} labels
 */

const authorStoredAs = 'logloom-author';

/** @type {[string, string][]} */
const durations = [
  ['1h', '1 hour'],
  ['4h', '4 hours'],
  ['1d', '1 day'],
  ['7d', '1 week'],
];

/** @param {AlertName} alert @param {() => void} onDone */
export function acknowledgeDialog(alert, onDone) {
  const note = textInput('note', false);
  show({
    title: `Acknowledge: ${alert.message}`,
    fields: [label('What should others know?', note)],
    action: 'Acknowledge',
    send: (author) =>
      sendJson('POST', `alerts/${encodeURIComponent(alert.fingerprint)}/acknowledge`, {
        ...(note.value.trim() === '' ? {} : { note: note.value }),
        ...author,
      }),
    onDone,
  });
}

/** @param {AlertName} alert @param {() => void} onDone */
export function silenceDialog(alert, onDone) {
  const reason = textInput('reason', true);
  const duration = element(
    'select',
    { 'data-testid': 'silence-duration' },
    ...durations.map(([value, text]) => element('option', { value }, text)),
  );
  const boxes = Object.entries(alert.labels).map(([name, value]) => {
    const box = element('input', { type: 'checkbox', checked: true });
    return { box, matcher: `${name}=${JSON.stringify(value)}`, text: `${name}=${value}` };
  });
  show({
    title: `Silence: ${alert.message}`,
    fields: [
      element(
        'fieldset',
        { class: 'matchers' },
        element('legend', {}, 'Alerts with all of these labels'),
        ...boxes.map(({ box, text }) => element('label', { class: 'check' }, box, text)),
      ),
      label('For', duration),
      label('Why?', reason),
    ],
    action: 'Silence',
    send: (author) =>
      sendJson('POST', 'silences', {
        matchers: boxes.filter(({ box }) => box.checked).map(({ matcher }) => matcher),
        duration: duration.value,
        reason: reason.value,
        ...author,
      }),
    onDone,
  });
}

/**
 * @param {object} dialog
 * @param {string} dialog.title
 * @param {HTMLElement[]} dialog.fields
 * @param {string} dialog.action
 * @param {(author: { author?: string }) => Promise<unknown>} dialog.send
 * @param {() => void} dialog.onDone
 */
function show({ title, fields, action, send, onDone }) {
  // A token says who it is.
  const author = viewerToken() === undefined ? textInput('author', true) : undefined;
  if (author !== undefined) author.value = localStorage.getItem(authorStoredAs) ?? '';
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  const submit = element(
    'button',
    { class: 'button primary', type: 'submit', 'data-testid': 'dialog-submit' },
    action,
  );
  const dialog = element(
    'dialog',
    { class: 'token-dialog', 'aria-labelledby': 'alert-dialog-title', 'data-testid': 'alert-dialog' },
    element(
      'form',
      {
        method: 'dialog',
        onsubmit: async (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          submit.disabled = true;
          if (author !== undefined) localStorage.setItem(authorStoredAs, author.value);
          try {
            await send(author === undefined ? {} : { author: author.value });
            dialog.close();
            onDone();
          } catch (error) {
            if (!(error instanceof ApiError)) throw error;
            problem.textContent = error.message;
            problem.hidden = false;
            submit.disabled = false;
          }
        },
      },
      element('h2', { id: 'alert-dialog-title' }, title),
      ...fields,
      author !== undefined && label('Who are you?', author),
      problem,
      element(
        'div',
        { class: 'buttons' },
        element('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
        submit,
      ),
    ),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {string} name @param {boolean} required */
function textInput(name, required) {
  return element('input', { type: 'text', maxlength: 1000, required, 'data-testid': `dialog-${name}` });
}

/** @param {string} text @param {HTMLElement} input */
function label(text, input) {
  return element('label', { class: 'field' }, text, input);
}
