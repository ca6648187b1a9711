const frameBudgetMs = 24;
// Nobody can read such a fast stream: drawing it ten times a second keeps the page responsive.
const rushRows = 40;
const rushIntervalMs = 100;
// Browsers skip the layout and painting of a whole hidden chunk; for single rows the skipping itself would be costly.
const chunkRows = 40;

/**
 * A list that grows at the bottom, as fast as the screen can draw: rows are made in batches, one batch a frame; only the newest `limit` are
 * kept. While the user has scrolled up or paused, it stays still and new rows wait.
 */
export class StreamList {
  /** @type {(() => HTMLElement)[]} */ #queue = [];
  #rows = 0;
  #frame = 0;
  #rushUntil = 0;
  #waiting = 0;
  #following = true;
  #paused = false;
  #hidden = false;
  #lastTop = 0;
  #trimmed = false;
  #list;
  #limit;
  #changed;

  /**
   * @param {HTMLElement} list the element that scrolls
   * @param {() => void} changed after rows were added, or the number waiting changed
   * @param {number} [limit]
   */
  constructor(list, changed, limit = 2000) {
    this.#list = list;
    this.#limit = limit;
    this.#changed = changed;
    list.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#toBottom()).observe(list);
  }

  /** How many rows have arrived since the list was paused. */
  get waiting() {
    return this.#held() ? this.#waiting : 0;
  }

  get empty() {
    return this.#rows === 0 && this.#queue.length === 0;
  }

  /** Whether older rows were removed because of the limit. */
  get trimmed() {
    return this.#trimmed;
  }

  get following() {
    return this.#following;
  }

  /** @param {(() => HTMLElement)[]} makers each makes one row when called */
  push(makers) {
    for (const make of makers) this.#queue.push(make);
    if (this.#held()) this.#waiting += makers.length;
    if (this.#queue.length > this.#limit * 2) this.#trimQueue();
    this.#schedule();
  }

  clear() {
    this.#queue.length = 0;
    this.#rows = 0;
    this.#waiting = 0;
    this.#trimmed = false;
    this.#following = true;
    this.#list.replaceChildren();
    this.#changed();
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.#paused = paused;
    this.#schedule();
  }

  /** Nothing is drawn while the view is hidden. @param {boolean} hidden */
  hide(hidden) {
    this.#hidden = hidden;
    if (!hidden) this.#toBottom();
    this.#schedule();
  }

  /** Continues at the newest row. */
  follow() {
    this.#following = true;
    this.#schedule();
    this.#toBottom();
  }

  #held() {
    return this.#paused || !this.#following;
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #trimQueue() {
    const surplus = this.#queue.length - this.#limit;
    if (surplus <= 0) return;
    this.#queue.splice(0, surplus);
    this.#trimmed = true;
  }

  #draw() {
    this.#frame = 0;
    const now = performance.now();
    if (now < this.#rushUntil && !this.#held()) return this.#schedule();
    if (!this.#held() && !this.#hidden) {
      this.#waiting = 0;
      this.#trimQueue();
      this.#append();
    }
    this.#changed();
  }

  #append() {
    const until = performance.now() + frameBudgetMs;
    let made = 0;
    while (made < this.#queue.length && performance.now() < until) {
      const make = this.#queue[made++];
      if (make !== undefined) this.#lastChunk().append(make());
    }
    this.#queue.splice(0, made);
    this.#rows += made;
    this.#rushUntil = made > rushRows ? performance.now() + rushIntervalMs : 0;
    for (; this.#rows > this.#limit; this.#rows--) this.#removeOldest();
    this.#toBottom();
    if (this.#queue.length > 0) this.#schedule();
  }

  #lastChunk() {
    const last = this.#list.lastElementChild;
    if (last !== null && last.childElementCount < chunkRows) return last;
    const chunk = document.createElement('div');
    chunk.className = 'chunk';
    chunk.role = 'list';
    this.#list.append(chunk);
    return chunk;
  }

  #removeOldest() {
    const chunk = this.#list.firstElementChild;
    chunk?.firstElementChild?.remove();
    if (chunk?.childElementCount === 0) chunk.remove();
    this.#trimmed = true;
  }

  #toBottom() {
    if (!this.#following) return;
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#lastTop = this.#list.scrollTop;
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    const wasFollowing = this.#following;
    if (scrollTop + clientHeight >= scrollHeight - 4) this.#following = true;
    else if (scrollTop < this.#lastTop - 1) this.#following = false;
    this.#lastTop = scrollTop;
    if (wasFollowing !== this.#following) this.#schedule();
  }
}
