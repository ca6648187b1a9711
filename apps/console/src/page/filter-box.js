import { byId, element } from './dom.js';

const typingPauseMs = 300;

/** The one filter input of the page. */
export class FilterBox {
  #input = /** @type {HTMLInputElement} */ (byId('filter'));
  #error = byId('filter-error');
  #clear = byId('filter-clear');
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #pause;
  #applied = '';
  #apply;

  /** @param {(text: string, typing: boolean) => void} apply `typing`: after a pause, not by Enter */
  constructor(apply) {
    this.#apply = apply;
    this.#input.addEventListener('input', () => {
      clearTimeout(this.#pause);
      this.#clear.hidden = this.#input.value === '';
      this.#pause = setTimeout(() => this.#submit(true), typingPauseMs);
    });
    this.#input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#submit(false);
      if (event.key === 'Escape') this.#input.blur();
    });
    this.#clear.addEventListener('click', () => {
      this.#input.value = '';
      this.#submit(false);
      this.focus();
    });
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  /** Shows the filter from the URL; does not change text that is being typed. @param {string} text @param {string} placeholder */
  show(text, placeholder) {
    this.#input.placeholder = placeholder;
    if (text !== this.#applied || document.activeElement !== this.#input) {
      clearTimeout(this.#pause);
      this.#input.value = text;
      this.clearError();
    }
    this.#applied = text;
    this.#clear.hidden = this.#input.value === '';
  }

  /** @param {{ message: string, position?: number | undefined }} error @param {string} [note] what continues meanwhile */
  showError({ message, position }, note) {
    const text = this.#applied;
    this.#error.replaceChildren(element('p', {}, message));
    if (position !== undefined && position >= 0) {
      const at = Math.min(position, text.length);
      this.#error.append(
        element(
          'code',
          {},
          text.slice(0, at),
          element('mark', {}, text.slice(at, at + 1) || '␣'),
          text.slice(at + 1),
        ),
      );
    }
    if (note !== undefined) this.#error.append(element('p', { class: 'muted' }, note));
    this.#error.hidden = false;
    this.#input.setAttribute('aria-invalid', 'true');
  }

  clearError() {
    this.#error.hidden = true;
    this.#error.replaceChildren();
    this.#input.removeAttribute('aria-invalid');
  }

  /** @param {boolean} typing */
  #submit(typing) {
    clearTimeout(this.#pause);
    const text = this.#input.value.trim();
    this.#clear.hidden = this.#input.value === '';
    if (text === this.#applied) return;
    this.#applied = text;
    this.clearError();
    this.#apply(text, typing);
  }
}
