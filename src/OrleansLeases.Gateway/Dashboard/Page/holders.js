// A card for each holder of a resource, and for its delay.

import { askToBreak } from './break.js';
import { h } from './dom.js';
import { grants } from './history.js';
import { toKey } from './route.js';
import { many, plain, setting, shown, time } from './text.js';
import { timeLeft } from './time-left.js';

/** How many bound keys are shown, and read. */
export const mostKeys = 200;

export class HolderCards {
  #row = null;
  #values = new Map();
  #ticks = [];
  #said = '';
  element = h('div', { class: 'holders' });

  constructor(rights, broken) {
    this.rights = rights;
    this.broken = broken;
  }

  clear() {
    [this.#row, this.#said, this.#ticks] = [null, '', []];
    this.element.replaceChildren();
  }

  draw(row, events, values) {
    [this.#row, this.#values] = [row, values];
    // The cards are made anew where they say something new, and not for a renewal: a reader may have the button, or text, in hand.
    const said = JSON.stringify([
      this.rights.principal, row.resource, row.state, row.holders.map(holder => ({ ...holder, remainingMs: 0 })),
      events.at(-1)?.sequence, [...values],
    ]);
    if (said === this.#said) return;
    [this.#said, this.#ticks] = [said, []];
    const stints = new Map(grants(events).map(grant => [grant.token, grant]));
    const cards = row.holders.map(holder => this.#card(holder, stints.get(holder.token)));
    if (row.state === 'delayed') cards.push(this.#delay(row.availableInMs));
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.token : null;
    this.element.replaceChildren(...cards);
    if (focused) this.element.querySelector(`button[data-token="${focused}"]`)?.focus();
    this.tick(performance.now());
  }

  tick(now) {
    for (const tick of this.#ticks) tick(now);
  }

  #counted(get, note) {
    const left = timeLeft(now => this.#row && get(now - this.#row.at));
    this.#ticks.push(left.tick);
    return h('div', { class: 'left' }, left.cells, h('span', { class: 'note' }, note));
  }

  #delay(of) {
    return h('article', { class: 'card' },
      this.#counted(passed => ({ left: (this.#row.availableInMs ?? 0) - passed, of: of || 1 }), 'until it may be taken'));
  }

  #card(holder, grant) {
    const { resource, holders } = this.#row;
    const left = this.#counted(passed => {
      const known = this.#row.holders.find(({ token }) => token === holder.token);
      return known && { left: known.remainingMs - passed, of: known.ttlMs };
    }, 'unless it is renewed');
    const mayBreak = this.rights.may('break', resource);
    const ask = () => askToBreak(resource, holder, this.broken);
    const order = grant?.order;
    return h('article', { class: 'card', 'aria-label': `Held by ${plain(holder.owner)}` },
      h('div', { class: 'holder' }, shown(holder.owner, 'owner'),
        mayBreak ? h('button', { type: 'button', class: 'danger', 'data-token': holder.token, onclick: ask }, 'Break…') : null),
      left,
      order ? h('p', { class: 'order' }, 'A break was asked for at ', time(order.at), ': ', shown(order.reason ?? '', 'reason')) : null,
      h('dl', {}, factsOf(holder, grant, holders.length).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
      this.#keys(holder.keys));
  }

  #keys(keys) {
    if (keys.length === 0) return null;
    const value = key => typeof this.#values.get(key) === 'string' ? [' ', shown(this.#values.get(key), 'value')] : null;
    return [
      h('h2', {}, `${many(keys.length, 'bound key')}, gone with the lease`),
      h('ul', { class: 'keys' }, keys.slice(0, mostKeys).map(key => h('li', {}, h('a', { href: toKey(key) }, shown(key)), value(key)))),
    ];
  }
}

const factsOf = (holder, grant, holders) => [
  // Of one holder, the headline says it.
  ...holders > 1 ? [['Since', grant?.from ? time(grant.from) : 'before the history begins']] : [],
  ['Token', String(holder.token)],
  ['Time to live', setting(holder.ttlMs)],
  ...holder.mode === 'shared' ? [['Mode', 'shared']] : [],
  ...Object.entries(holder.metadata).map(([name, value]) => [shown(name), shown(value, 'value')]),
];
