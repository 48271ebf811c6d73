// A table of any length, of which only the rows in sight are elements.

import { h } from './dom.js';

const beyond = 6;

export class Rows {
  #body;
  #names = [];
  #shown = new Map();
  #make;
  #frame = 0;
  #height = 0;

  /**
   * @param options.label What the table is, for those who hear it.
   * @param options.columns Its columns: { title, class }.
   * @param options.make Makes a row: (name) => { cells, update }, where update is called whenever it may have changed.
   */
  constructor({ label, columns, make, className }) {
    this.#make = make;
    this.#body = h('div', { class: 'body', role: 'rowgroup' });
    const head = h('div', { class: 'head', role: 'rowgroup' },
      h('div', { class: 'row', role: 'row', 'aria-rowindex': 1 },
        columns.map(column => h('div', { class: column.class, role: 'columnheader' }, column.title))));
    this.element = h('div', { class: `rows ${className}`, role: 'table', 'aria-label': label, tabindex: 0 }, head, this.#body);
    this.element.addEventListener('scroll', () => this.draw(), { passive: true });
    this.element.addEventListener('keydown', event => this.#move(event));
    this.#body.addEventListener('focusout', () => this.draw());
    new ResizeObserver(() => {
      this.#height = 0;
      this.draw();
    }).observe(this.element);
  }

  /** The names of the rows in sight. */
  get inSight() {
    const [from, to] = this.#range(0);
    return this.#names.slice(from, to);
  }

  set names(names) {
    this.#names = names;
    this.draw();
  }

  /** Draws in the next frame, however often it is asked to. */
  draw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** Lets the rows in sight say what has changed with time alone. */
  tick(now) {
    for (const { row } of this.#shown.values()) row.tick?.(now);
  }

  #range(more) {
    this.#height ||= parseFloat(getComputedStyle(this.element).getPropertyValue('--row')) || 36;
    const from = Math.floor(this.element.scrollTop / this.#height) - more;
    const to = Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.#height) + more;
    return [Math.max(0, from), Math.min(this.#names.length, to)];
  }

  #draw() {
    const [from, to] = this.#range(beyond);
    this.#body.style.height = `${this.#names.length * this.#height}px`;
    this.element.setAttribute('aria-rowcount', this.#names.length + 1);
    const wanted = this.#names.slice(from, to);
    const focused = this.#body.contains(document.activeElement) ? document.activeElement.closest('.row') : null;
    const keep = new Set(wanted);
    for (const [name, { element }] of this.#shown) {
      // A row that has the focus stays, though out of sight: the keyboard would be nowhere without it.
      if (keep.has(name) || element === focused) continue;
      element.remove();
      this.#shown.delete(name);
    }

    const now = performance.now();
    let next = this.#body.firstChild;
    wanted.forEach((name, i) => {
      let shown = this.#shown.get(name);
      if (!shown) {
        const row = this.#make(name);
        shown = { row, element: h('div', { class: 'row', role: 'row' }, row.cells) };
        this.#shown.set(name, shown);
      }

      const { element, row } = shown;
      if (element !== next) this.#body.insertBefore(element, next);
      else next = next.nextSibling;
      element.style.transform = `translateY(${(from + i) * this.#height}px)`;
      element.setAttribute('aria-rowindex', from + i + 2);
      row.update(element);
      row.tick?.(now);
    });
  }

  #move(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    const row = document.activeElement.closest?.('.row');
    const name = row && [...this.#shown].find(([, shown]) => shown.element === row)?.[0];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey || (!name && step !== 1)) return;
    event.preventDefault();
    const place = name ? this.#names.indexOf(name) + step : this.#range(0)[0];
    const index = Math.max(0, Math.min(this.#names.length - 1, place));
    const top = index * this.#height;
    const bottom = top + this.#height - this.element.clientHeight + this.element.querySelector('.head').offsetHeight;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (bottom > this.element.scrollTop) this.element.scrollTop = bottom;
    this.#draw();
    this.#shown.get(this.#names[index])?.element.querySelector('a')?.focus({ preventScroll: true });
  }
}
