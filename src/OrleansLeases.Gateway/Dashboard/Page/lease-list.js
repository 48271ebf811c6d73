// The view of all leases: search, and a row for each.

import { countdown } from './leases.js';
import { fill, h, say } from './dom.js';
import { Rows } from './rows.js';
import { timeLeft } from './time-left.js';
import { toLease, toLeases } from './route.js';
import { count, many, plain, shown } from './text.js';

const states = { held: 'Held', free: 'Not held', any: 'All' };

const columns = [
  { title: 'Name', class: 'cell name-cell' },
  { title: 'Held by', class: 'cell owner-cell' },
  { title: 'State', class: 'cell state-cell' },
  { title: 'Time left', class: 'cell left-cell' },
  { title: 'Token', class: 'cell number token-cell' },
  { title: 'Waiting', class: 'cell number waits-cell' },
  { title: 'Keys', class: 'cell number keys-cell' },
];

const stateOf = row => row.breaking ? 'breaking' : row.state;

function makeRow(leases, name) {
  const cells = columns.map(column => h('div', { class: column.class, role: 'cell' }));
  const [nameCell, owner, state, left, token, waits, keys] = cells;
  nameCell.append(h('a', { href: toLease(name) }, shown(name)));
  const lease = () => leases.get(name);
  const time = timeLeft(now => lease() && countdown(lease(), now));
  left.append(...time.cells);
  return {
    cells,
    update(element) {
      const row = lease();
      if (!row) return;
      const [first, ...others] = row.holders;
      fill(owner, first ? shown(first.owner, 'owner') : h('span', { class: 'none' }, '–'),
        others.length ? h('span', { class: 'more' }, ` and ${many(others.length, 'other')}`) : null,
        first?.mode === 'shared' ? h('span', { class: 'more' }, ' · shared') : null);
      const word = stateOf(row);
      fill(state, h('span', { class: `state ${word}` }, word));
      say(token, first ? String(first.token) : row.lastToken ? String(row.lastToken) : '');
      say(waits, row.waiters ? count(row.waiters) : '');
      say(keys, String(row.holders.reduce((sum, holder) => sum + holder.keys.length, 0) || ''));
      element.classList.toggle('waited', row.waiters > 0);
    },
    tick: time.tick,
  };
}

export class LeaseList {
  watches = parameters => parameters.get('prefix') ?? '';

  #frame = 0;

  constructor(leases, rights) {
    this.leases = leases;
    this.rights = rights;
    this.rows = new Rows({ label: 'Leases', className: 'leases', columns, make: name => makeRow(leases, name) });
    this.summary = h('p', { class: 'summary', role: 'status' });
    this.empty = h('div', { class: 'empty', hidden: true });
    this.prefix = h('input', {
      id: 'prefix', type: 'search', placeholder: 'All names', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off',
      'aria-keyshortcuts': '/',
    });
    this.owner = h('input', {
      id: 'owner', type: 'search', placeholder: 'Any owner', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off',
    });
    this.state = Object.entries(states).map(([value, title]) => h('label', {},
      h('input', { type: 'radio', name: 'state', value }), h('span', {}, title)));
    this.element = h('section', { class: 'view list-view' },
      h('h1', { class: 'unseen', tabindex: -1 }, 'Leases'),
      h('form', { class: 'search', role: 'search', onsubmit: event => event.preventDefault(), oninput: () => this.#search() },
        h('label', { class: 'field' }, h('span', {}, 'Name starts with'), this.prefix),
        h('label', { class: 'field' }, h('span', {}, 'Held by'), this.owner),
        h('fieldset', { class: 'choice' }, h('legend', { class: 'unseen' }, 'State'), this.state)),
      this.summary, this.rows.element, this.empty);
    leases.addEventListener('change', () => {
      // Thousands of events a second make one picture a frame.
      this.#frame ||= requestAnimationFrame(() => {
        this.#frame = 0;
        this.#draw();
      });
    });
  }

  /** Shows what the address says. */
  open({ parameters }) {
    const filter = {
      prefix: parameters.get('prefix') ?? '', owner: parameters.get('owner') ?? '', state: parameters.get('state') ?? 'held',
    };
    if (!(filter.state in states)) filter.state = 'held';
    // A reader who types is ahead of the address.
    if (document.activeElement !== this.prefix) this.prefix.value = filter.prefix;
    if (document.activeElement !== this.owner) this.owner.value = filter.owner;
    for (const label of this.state) label.firstChild.checked = label.firstChild.value === filter.state;
    document.title = filter.prefix ? `${plain(filter.prefix)}… – Leases` : 'Leases';
    const known = this.leases.filter;
    const isOther = ['prefix', 'owner', 'state'].some(name => known[name] !== filter[name]);
    if (isOther) this.leases.show(filter);
    this.#draw();
    return isOther;
  }

  resync() {
    return this.leases.load();
  }

  tick(now) {
    this.rows.tick(now);
  }

  refresh() {
    return this.leases.refresh(this.rows.inSight);
  }

  #search() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => location.replace(toLeases({
      prefix: this.prefix.value, owner: this.owner.value, state: this.element.querySelector('[name=state]:checked')?.value,
    })), 200);
  }

  #draw() {
    const { leases } = this;
    const { prefix, owner, state } = leases.filter;
    this.rows.names = leases.names;
    const isEmpty = leases.names.length === 0;
    this.rows.element.hidden = isEmpty;
    this.empty.hidden = !isEmpty;
    const what = { held: 'held', free: 'not held', any: 'known' }[state];
    say(this.summary, leases.isFull
      ? `The first ${count(leases.names.length)} names that are ${what}. There are more: say how the name starts.`
      : `${many(leases.names.length, 'name')} ${what}${leases.isLoaded ? '' : ', reading…'}`);
    if (!isEmpty) return;
    if (leases.problem) fill(this.empty, h('p', {}, leases.problem.message));
    else if (!leases.isLoaded) fill(this.empty, h('p', {}, 'Reading…'));
    else if (!this.rights.mayReadSomething) fill(this.empty, h('p', {}, 'You have no right to read any name.'));
    else fill(this.empty,
      h('p', {}, `No name ${prefix ? 'that starts with ' : ''}`, prefix ? shown(prefix) : null, ` is ${what}`,
        owner ? ' by ' : '', owner ? shown(owner, 'owner') : null, '.'),
      state === 'held' && !prefix && !owner ? h('p', { class: 'hint' }, 'Take a lease, and it appears here: ',
        h('code', {}, 'leases run jobs/nightly -- sleep 20')) : null);
  }
}
